# fish completion for retryshim(1)

function __retryshim_verb
    set -l words (commandline -opc)
    test (count $words) -ge 2; and test "$words[2]" = $argv[1]
end

function __retryshim_no_verb
    test (count (commandline -opc)) -eq 1
end

# In `run`, before the program: its own options are none of ours.
function __retryshim_before_program
    set -l words (commandline -opc)
    test (count $words) -ge 2; and test "$words[2]" = run; or return 1
    set -l value 0
    for word in $words[3..-1]
        if test $value = 1
            set value 0
        else if contains -- $word -r -o -f
            set value 1
        else if test "$word" = --; or not string match -q -- '-*' $word
            return 1
        end
    end
end

# The program and its arguments, as if they were typed alone.
function __retryshim_program
    set -l words (commandline -opc)[3..-1]
    while set -q words[1]
        if contains -- $words[1] -r -o -f
            set -e words[1]
        else if test "$words[1]" = --
            set -e words[1]
            break
        else if not string match -q -- '-*' $words[1]
            break
        end
        set -e words[1]
    end
    set -l token (commandline -ct)
    # Where there is no program yet, an option is one of ours.
    if not set -q words[1]; and string match -q -- '-*' "$token"
        return
    end
    complete --do-complete=(string join ' ' -- (string escape -- $words) "$token")
end

# Names of policies and rules in the rules that the command line names, or those that are in force.
function __retryshim_names
    set -l words (commandline -opc)
    set -l rules
    for i in (seq 3 (math (count $words) - 1))
        if test "$words[$i]" = -r
            set -a rules (string replace -r '^~' $HOME -- $words[(math $i + 1)])
        end
    end
    if not set -q rules[1]
        if test -n "$RETRYSHIM_RULES"
            set rules (string split : -- $RETRYSHIM_RULES)
        else if string match -q -- '/*' "$XDG_CONFIG_HOME"; and test -e "$XDG_CONFIG_HOME/retryshim.ini"
            set rules $XDG_CONFIG_HOME/retryshim.ini
        else
            set rules /etc/retryshim.ini
        end
    end
    sed -nE 's/^\[(policy|rule) ([^]]+)\].*/\2/p' $rules 2>/dev/null
end

# Those of shim/rules/keys.c; `make lint` compares them.
set -l settings mode log log_format log_level report stats reload body_limit spool_limit hook_timeout annotate seed \
    max_attempts backoff base rate cap jitter max_elapsed retry_after retry_after_cap attempt_timeout \
    connect_timeout fresh_connection resume quota cost rate_limit

complete -c retryshim -f
complete -c retryshim -n __retryshim_no_verb -l help -d 'Say how it is used'
complete -c retryshim -n __retryshim_no_verb -l version -d 'Say which version this is'
complete -c retryshim -n __retryshim_no_verb -a run -d 'Run a program under the shim'
complete -c retryshim -n __retryshim_no_verb -a check -d 'Tell what is wrong with rules files'
complete -c retryshim -n __retryshim_no_verb -a plan -d 'List the waits of a policy'
complete -c retryshim -n __retryshim_no_verb -a explain -d 'Tell which rule decides, and why'
complete -c retryshim -n __retryshim_no_verb -a doctor -d 'Tell whether a program can be wrapped'
complete -c retryshim -n __retryshim_no_verb -a stats -d 'Show what was counted'

complete -c retryshim -n __retryshim_before_program -s v -d 'Log every retry'
complete -c retryshim -n __retryshim_before_program -s q -d 'Log nothing'
complete -c retryshim -n __retryshim_before_program -s r -rF -d 'Read these rules'
complete -c retryshim -n __retryshim_before_program -s o -xa (string join ' ' -- $settings=) -d 'Set a key'
complete -c retryshim -n __retryshim_before_program -s f -x -d 'Make calls fail'
complete -c retryshim -n __retryshim_before_program -l no-inherit -d 'Keep the shim from children'
complete -c retryshim -n __retryshim_before_program -l print-env -d 'Print the environment, run nothing'
complete -c retryshim -n __retryshim_before_program -l help -d 'Say how it is used'
complete -c retryshim -n '__retryshim_verb run' -a '(__retryshim_program)'

for verb in check plan explain stats doctor
    complete -c retryshim -n "__retryshim_verb $verb" -l help -d 'Say how it is used'
end
complete -c retryshim -n '__retryshim_verb check' -F
complete -c retryshim -n '__retryshim_verb plan' -s r -rF -d 'Read these rules'
complete -c retryshim -n '__retryshim_verb plan' -s n -x -d 'At most so many attempts'
complete -c retryshim -n '__retryshim_verb plan' -l json -d 'Print JSON'
complete -c retryshim -n '__retryshim_verb plan' -a '(__retryshim_names)'

complete -c retryshim -n '__retryshim_verb explain' -s r -rF -d 'Read these rules'
complete -c retryshim -n '__retryshim_verb explain' -l call -xa 'curl connect resolve' -d 'Kind of call'
complete -c retryshim -n '__retryshim_verb explain' -l error -x -d 'How it failed'
complete -c retryshim -n '__retryshim_verb explain' -l status -x -d 'Status of the response'
complete -c retryshim -n '__retryshim_verb explain' -l header -x -d 'Header of the response'
complete -c retryshim -n '__retryshim_verb explain' -l body -rF -d 'Body of the response'
complete -c retryshim -n '__retryshim_verb explain' -l method -xa 'GET HEAD PUT POST DELETE OPTIONS TRACE PATCH' -d 'Method of the request'
complete -c retryshim -n '__retryshim_verb explain' -l url -x -d 'URL of the request'
complete -c retryshim -n '__retryshim_verb explain' -l address -x -d 'Address of a connect'
complete -c retryshim -n '__retryshim_verb explain' -l program -x -d 'Program that made the call'
complete -c retryshim -n '__retryshim_verb explain' -l json -d 'Print JSON'
complete -c retryshim -n '__retryshim_verb stats' -l json -d 'Print JSON'
complete -c retryshim -n '__retryshim_verb stats' -l prometheus -d 'Print the Prometheus format'
complete -c retryshim -n '__retryshim_verb stats' -l watch -d 'Show it again every second'
complete -c retryshim -n '__retryshim_verb stats' -F
complete -c retryshim -n '__retryshim_verb doctor' -l json -d 'Print JSON'
complete -c retryshim -n '__retryshim_verb doctor' -F -a '(__fish_complete_command)'
