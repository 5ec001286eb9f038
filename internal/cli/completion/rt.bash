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

# _rt_join sets words to those before the cursor, and cur to the one at it: bash parts them at
# "=" and ":", too. stuck is the part of cur that readline takes for words of its own.
_rt_join() {
    local i line=$COMP_LINE
    words=() stuck=
    for ((i = 0; i <= COMP_CWORD; i++)); do
        if [[ $i != 0 && $line != [[:space:]]* && $line ]]; then
            stuck=${words[-1]}
            words[-1]+=${COMP_WORDS[i]}
        else
            stuck=
            words+=("${COMP_WORDS[i]}")
        fi
        line=${line#"${line%%[![:space:]]*}"}
        line=${line#"${COMP_WORDS[i]}"}
    done
    cur=${words[-1]}
    [[ ${COMP_WORDS[COMP_CWORD]} != [=:] ]] || stuck=$cur
    unset 'words[-1]'
}

# _rt_read walks over the words before the cursor, as rt itself would. It sets kind to what
# is to be completed, "flag" where a flag can stand, too.
_rt_read() {
    local i=1 open=1 count=0 word value
    command= root= kind=
    _rt_table ''
    while ((i < ${#words[@]})); do
        word=${words[i++]}
        if [[ $open && $word == -- ]]; then
            open=
        elif [[ $open && $word == -?* ]]; then
            _rt_kind "${word%%=*}"
            value=${word#*=}
            if [[ $word != *=* && $kind && $kind != none ]]; then
                ((i < ${#words[@]})) || return 0
                value=${words[i++]}
            fi
            [[ ${word%%=*} != -root && ${word%%=*} != --root ]] || root=$value
        elif [[ ! $command ]]; then
            command=$word open=1
            _rt_table "$command"
        else
            open=
            ((count += 1))
        fi
    done
    kind=${operands[count]:-any}
    [[ ! $open ]] || [[ $cur != -* && ${#operands[@]} != 0 ]] || kind=flag
}

# _rt_containers prints the containers that have one of the statuses $@, of any without.
_rt_containers() {
    local id pid status rest
    local -a line=("${words[0]/#\~/$HOME}")
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
    local cur stuck before= command root kind
    local -a words verbs flags operands
    COMPREPLY=()
    _rt_join
    _rt_read
    if [[ $kind == flag && $cur == *=* ]]; then
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
    words*) mapfile -t COMPREPLY < <(compgen -W "${kind#words }" -- "$cur") ;;
    esac
    [[ ! $before ]] || COMPREPLY=("${COMPREPLY[@]/#/$before}")
    [[ ! $stuck ]] || COMPREPLY=("${COMPREPLY[@]#"$stuck"}")
}

complete -F _rt rt
