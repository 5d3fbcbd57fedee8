# bash completion for retryshim(1)

_retryshim_settings='mode= log= log_format= log_level= body_limit= spool_limit= annotate= seed=
	report= reload= hook_timeout=
	max_attempts= backoff= base= rate= cap= jitter= max_elapsed= retry_after= retry_after_cap=
	attempt_timeout= connect_timeout= fresh_connection= resume= quota= cost='

# Sections of a kind in the rules that the command line names.
_retryshim_names() {
	local i rules=()
	for ((i = 2; i < COMP_CWORD; i++)); do
		[[ ${COMP_WORDS[i]} == -r ]] && rules+=("${COMP_WORDS[i + 1]/#\~/$HOME}")
	done
	[[ ${#rules[@]} -gt 0 ]] || rules=(/etc/retryshim.ini)
	sed -nE 's/^\[(policy|rule) ([^]]+)\].*/\2/p' "${rules[@]}" 2>/dev/null
}

_retryshim_run() {
	local i=2
	case $prev in
	-r) compopt -o filenames; mapfile -t COMPREPLY < <(compgen -f -- "$cur"); return ;;
	-o)
		compopt -o nospace
		mapfile -t COMPREPLY < <(compgen -W "$_retryshim_settings" -- "$cur")
		return
		;;
	esac
	[[ $prev == -f ]] && return
	# What follows the options is a command line of its own.
	while ((i < COMP_CWORD)); do
		case ${COMP_WORDS[i]} in
		-r) ((i += 2)) ;;
		-o | -f)
			((i += 2)) # bash splits KEY=VALUE in three
			[[ ${COMP_WORDS[i]-} == = ]] && ((i += 2))
			;;
		--) ((i += 1)); break ;;
		-*) ((i += 1)) ;;
		*) break ;;
		esac
	done
	if ((i < COMP_CWORD)) && declare -F _command_offset >/dev/null; then
		_command_offset "$i"
	elif [[ $cur == -* ]]; then
		mapfile -t COMPREPLY < <(compgen -W '-v -q -r -o -f --no-inherit --print-env --' -- "$cur")
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
	check) compopt -o filenames; mapfile -t COMPREPLY < <(compgen -f -- "$cur") ;;
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
					--url --address --program' -- "$cur"
			)
			;;
		esac
		;;
	stats)
		mapfile -t COMPREPLY < <(
			compgen -W '--json --prometheus --watch' -- "$cur"
			compgen -f -- "$cur"
		)
		;;
	doctor)
		compopt -o filenames
		mapfile -t COMPREPLY < <(
			compgen -W '--json' -- "$cur"
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
				compgen -W "-r -n --json $(_retryshim_names)" -- "$cur"
			)
			;;
		esac
		;;
	esac
}

complete -F _retryshim retryshim
