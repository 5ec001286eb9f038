# Completion of rt(8) for bash. Written by "rt completion bash".

# _rt_table adds the rows of a command, of rt itself for "", to verbs, flags and operands.
_rt_table() {
    verbs=() flags=() operands=()
    case $1 in
#TABLE
    esac
}

# _rt_kind sets kind to that of the value of the flag $1, "" for an unknown flag.
_rt_kind() {
    local name=${1#-} row names
    name=${name#-}
    kind=
    for row in "${flags[@]}"; do
        IFS='|' read -r names kind _ <<<"$row"
        [[ " $names " != *" $name "* ]] || return 0
    done
    kind=
}

# _rt_read walks over the words before the cursor, as rt itself would. It sets kind to what
# is to be completed, "flag" where a flag can stand, too.
_rt_read() {
    local i=1 open=1 count=0 word
    command= root= kind=
    _rt_table ''
    while ((i < COMP_CWORD)); do
        word=${COMP_WORDS[i]}
        if [[ $open && $word == -- ]]; then
            open=
            ((i += 1))
        elif [[ $open && $word == -?* ]]; then
            _rt_kind "${word%%=*}"
            if [[ $word == *=* ]]; then
                [[ $word != *-root=* ]] || root=${word#*=}
            elif [[ ${COMP_WORDS[i + 1]} == '=' ]]; then # "=" parts words, COMP_WORDBREAKS
                ((i + 2 < COMP_CWORD)) || return 0
                [[ $word != *-root ]] || root=${COMP_WORDS[i + 2]}
                ((i += 2))
            elif [[ $kind && $kind != none ]]; then
                ((i + 1 < COMP_CWORD)) || return 0
                [[ $word != *-root ]] || root=${COMP_WORDS[i + 1]}
                ((i += 1))
            fi
            ((i += 1))
        elif [[ ! $command ]]; then
            command=$word open=1
            _rt_table "$command"
            ((i += 1))
        else
            open=
            ((count += 1, i += 1))
        fi
    done
    kind=${operands[count]:-any}
    [[ ! $open ]] || [[ $cur != -* && ${#operands[@]} != 0 ]] || kind=flag
}

# _rt_containers prints the containers that have one of the statuses $@, of any without.
_rt_containers() {
    local id pid status rest
    local -a line=("${COMP_WORDS[0]/#\~/$HOME}")
    root=${root//[\"\'\\]/}
    [[ ! $root ]] || line+=(--root "${root/#\~/$HOME}")
    "${line[@]}" list 2>/dev/null | {
        read -r rest
        while read -r id pid status rest; do
            [[ $# = 0 || " $* " == *" $status "* ]] && printf '%s\n' "$id"
        done
    }
}

# _rt_described offers rows NAME|DESCRIPTION. The descriptions are shown in the list that a
# second tab prints (COMP_TYPE is "?"), and never become a part of the line.
_rt_described() {
    local row name text
    for row in "$@"; do
        IFS='|' read -r name text <<<"$row"
        [[ $name == "$cur"* ]] && COMPREPLY+=("$name|$text")
    done
    if [[ ${COMP_TYPE:-9} != 63 || ${#COMPREPLY[@]} -lt 2 ]]; then
        COMPREPLY=("${COMPREPLY[@]%%|*}")
        return 0
    fi
    local i width=$((${COLUMNS:-80} - 2))
    for i in "${!COMPREPLY[@]}"; do
        printf -v row '%-18s %s' "${COMPREPLY[i]%%|*}" "${COMPREPLY[i]#*|}"
        printf -v "COMPREPLY[i]" '%-*s' "$width" "${row:0:width}"
    done
}

_rt_flags() {
    local row names name text
    local -a list
    for row in "${flags[@]}"; do
        IFS='|' read -r names _ text <<<"$row"
        for name in $names; do
            [[ $name == ? ]] && list+=("-$name|$text") || list+=("--$name|$text")
        done
    done
    _rt_described "${list[@]}"
}

_rt() {
    local cur=${COMP_WORDS[COMP_CWORD]} before= command root kind
    local -a verbs flags operands
    COMPREPLY=()
    _rt_read
    if [[ $cur == '=' ]]; then
        cur=
    elif [[ $kind == flag && $cur == *=* ]]; then
        _rt_kind "${cur%%=*}"
        before=${cur%%=*}= cur=${cur#*=}
    fi
    cur=${cur#[\"\']}
    # shellcheck disable=SC2086
    case $kind in
    flag) _rt_flags ;;
    command)
        _rt_table ''
        _rt_described "${verbs[@]}"
        ;;
    dir | file)
        compopt -o filenames 2>/dev/null
        mapfile -t COMPREPLY < <(compgen "-${kind:0:1}" -- "$cur")
        ;;
    container*) mapfile -t COMPREPLY < <(compgen -W "$(_rt_containers ${kind#container})" -- "$cur") ;;
    =*) mapfile -t COMPREPLY < <(compgen -W "${kind#= }" -- "$cur") ;;
    esac
    [[ ! $before ]] || COMPREPLY=("${COMPREPLY[@]/#/$before}")
}

complete -F _rt rt
