# bash completion for retryshim(1)

# The keys of shim/rules/keys.c; `make lint` compares them.
_retryshim_settings='mode= log= log_format= log_level= report= stats= reload= body_limit= spool_limit=
	hook_timeout= annotate= seed=
	max_attempts= backoff= base= rate= cap= jitter= max_elapsed= retry_after= retry_after_cap=
	attempt_timeout= connect_timeout= fresh_connection= resume= quota= cost= rate_limit='

# The rules that the command line names, or those that are in force.
_retryshim_rules() {
	local i home=${XDG_CONFIG_HOME:-}/retryshim.ini
	rules=()
	for ((i = 2; i < COMP_CWORD; i++)); do
		[[ ${COMP_WORDS[i]} == -r ]] && rules+=("${COMP_WORDS[i + 1]/#\~/$HOME}")
	done
	((${#rules[@]} > 0)) && return
	if [[ -n ${RETRYSHIM_RULES:-} ]]; then
		IFS=: read -ra rules <<<"$RETRYSHIM_RULES"
	elif [[ ${XDG_CONFIG_HOME:-} == /* && -e $home ]]; then
		rules=("$home")
	else
		rules=(/etc/retryshim.ini)
	fi
}

# Names of policies and rules in them.
_retryshim_names() {
	local rules
	_retryshim_rules
	sed -nE 's/^\[(policy|rule) ([^]]+)\].*/\2/p' "${rules[@]}" 2>/dev/null
}

_retryshim_run() {
	local i=2
	# What follows the options is a command line of its own.
	while ((i < COMP_CWORD)); do
		case ${COMP_WORDS[i]} in
		-r) ((i += 2)) ;;
		-o | -f)
			((i += 2)) # bash splits KEY=VALUE in three or more
			while [[ ${COMP_WORDS[i]-} == [=:]* ]]; do ((i += 2)); done
			;;
		--) ((i += 1)); break ;;
		-*) ((i += 1)) ;;
		*) break ;;
		esac
	done
	if ((i > COMP_CWORD)); then # the value of an option
		case $prev in
		-r) compopt -o filenames; mapfile -t COMPREPLY < <(compgen -f -- "$cur") ;;
		-o)
			compopt -o nospace
			mapfile -t COMPREPLY < <(compgen -W "$_retryshim_settings" -- "$cur")
			;;
		esac
	elif ((i < COMP_CWORD)); then
		if declare -F _command_offset >/dev/null; then
			_command_offset "$i"
		else
			compopt -o filenames
			mapfile -t COMPREPLY < <(compgen -f -- "$cur")
		fi
	elif [[ $cur == -* ]]; then
		mapfile -t COMPREPLY < <(compgen -W '-v -q -r -o -f --no-inherit --print-env --help --' -- "$cur")
	else
		compopt -o filenames
		mapfile -t COMPREPLY < <(compgen -c -- "$cur")
	fi
}

_retryshim() {
	local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]}
	COMPREPLY=()
	if ((COMP_CWORD == 1)); then
		mapfile -t COMPREPLY < <(compgen -W 'run check plan explain doctor stats --help --version' -- "$cur")
		return
	fi
	case ${COMP_WORDS[1]} in
	run) _retryshim_run ;;
	check)
		compopt -o filenames
		mapfile -t COMPREPLY < <(
			[[ $cur != -* ]] || compgen -W '--help' -- "$cur"
			compgen -f -- "$cur"
		)
		;;
	explain)
		case $prev in
		-r | --body) compopt -o filenames; mapfile -t COMPREPLY < <(compgen -f -- "$cur") ;;
		--call) mapfile -t COMPREPLY < <(compgen -W 'curl connect resolve' -- "$cur") ;;
		--method)
			mapfile -t COMPREPLY < <(
				compgen -W 'GET HEAD PUT POST DELETE OPTIONS TRACE PATCH' -- "$cur"
			)
			;;
		--error | --status | --header | --url | --address | --program) ;;
		*)
			mapfile -t COMPREPLY < <(
				compgen -W '-r --json --call --error --status --header --body --method
					--url --address --program --help' -- "$cur"
			)
			;;
		esac
		;;
	stats)
		mapfile -t COMPREPLY < <(
			compgen -W '--json --prometheus --watch --help' -- "$cur"
			compgen -f -- "$cur"
		)
		;;
	doctor)
		compopt -o filenames
		mapfile -t COMPREPLY < <(
			compgen -W '--json --help' -- "$cur"
			[[ -z $cur ]] || compgen -c -- "$cur"
			compgen -f -- "$cur"
		)
		;;
	plan)
		case $prev in
		-r) compopt -o filenames; mapfile -t COMPREPLY < <(compgen -f -- "$cur") ;;
		-n) ;;
		*)
			mapfile -t COMPREPLY < <(
				compgen -W "-r -n --json --help $(_retryshim_names)" -- "$cur"
			)
			;;
		esac
		;;
	esac
}

complete -F _retryshim retryshim
