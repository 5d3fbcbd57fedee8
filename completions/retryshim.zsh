#compdef retryshim
# zsh completion for retryshim(1)

_retryshim_settings() {
	# Those of shim/rules/keys.c; `make lint` compares them.
	local -a keys=(
		mode log log_format log_level report stats reload body_limit spool_limit hook_timeout annotate seed
		max_attempts backoff base rate cap jitter max_elapsed retry_after retry_after_cap attempt_timeout
		connect_timeout fresh_connection resume quota cost rate_limit
	)
	compset -P '*=' && return
	compadd -S = -a keys
}

# Of the rules that the command line names, or of those that are in force.
_retryshim_names() {
	local -a rules names
	local i home=$XDG_CONFIG_HOME/retryshim.ini
	for ((i = 2; i < CURRENT; i++)); do
		[[ $words[i] == -r ]] && rules+=(${~words[i+1]})
	done
	if (($#rules == 0)); then
		if [[ -n $RETRYSHIM_RULES ]]; then
			rules=(${(s.:.)RETRYSHIM_RULES})
		elif [[ $XDG_CONFIG_HOME == /* && -e $home ]]; then
			rules=($home)
		else
			rules=(/etc/retryshim.ini)
		fi
	fi
	names=(${(f)"$(sed -nE 's/^\[(policy|rule) ([^]]+)\].*/\2/p' $rules 2>/dev/null)"})
	compadd -a names
}

_retryshim() {
	local -a verbs=(
		'run:run a program under the shim'
		'check:tell what is wrong with rules files'
		'plan:list the waits of a policy'
		'explain:tell which rule decides, and why'
		'doctor:tell whether a program can be wrapped'
		'stats:show what was counted'
	)
	if ((CURRENT == 2)); then
		_describe verb verbs
		compadd -- --help --version
		return
	fi
	local verb=$words[2]
	local help='(- : *)--help[say how it is used]'
	shift words
	((CURRENT--))
	case $verb in
	run)
		_arguments -S "$help" \
			'(-q)-v[log every retry]' '(-v)-q[log nothing]' \
			'*-r[read these rules]:rules:_files' \
			'*-o[set a key]:key=value:_retryshim_settings' \
			'*-f[make calls fail]:key=value,...:' \
			'--no-inherit[keep the shim from children]' \
			'--print-env[print the environment, run nothing]' \
			'(-):program:_command_names -e' '*::arguments:_normal'
		;;
	check) _arguments "$help" '*:rules:_files' ;;
	plan)
		_arguments "$help" '*-r[read these rules]:rules:_files' '-n[at most so many attempts]:count:' \
			'--json[print JSON]' '1:policy or rule:_retryshim_names'
		;;
	explain)
		_arguments "$help" '*-r[read these rules]:rules:_files' '--json[print JSON]' \
			'--call[kind of call]:call:(curl connect resolve)' \
			'*--error[how it failed]:error name:' '--status[of the response]:status:' \
			'*--header[of the response]:Name\: value:' '--body[of the response]:body:_files' \
			'--method[of the request]:method:(GET HEAD PUT POST DELETE OPTIONS TRACE PATCH)' \
			'--url[of the request]:URL:_urls' '--address[of a connect]:address:' \
			'--program[that made the call]:name:'
		;;
	stats) _arguments "$help" '(--prometheus)--json[print JSON]' '(--json)--prometheus[print the Prometheus format]' '--watch[show it again every second]' ':file:_files' ;;
	doctor) _arguments "$help" '--json[print JSON]' ':program:_command_names -e' ;;
	esac
}

_retryshim "$@"
