#compdef rt
# Completion of rt(8) for zsh. Written by "rt completion zsh".

# _rt_table sets verbs, flags and operands to the rows of a command, of rt itself for "".
_rt_table() {
    verbs=() flags=() operands=()
    case $1 in
#TABLE
    esac
}

# _rt_kind sets kind to that of the value of the flag $1, "" for an unknown flag.
_rt_kind() {
    local name=${1#-} row
    local -a fields
    name=${name#-}
    kind=
    for row in $flags; do
        fields=("${(@s:|:)row}")
        if [[ " $fields[1] " == *" ${(b)name} "* ]]; then
            kind=$fields[2]
            return 0
        fi
    done
}

# _rt_read walks over the words before the cursor, as rt itself would. It sets kind to what
# is to be completed, "flag" where a flag can stand, too.
_rt_read() {
    local verb word value
    integer i=2 open=1 count=0
    _rt_table ''
    while ((i < CURRENT)); do
        word=${(Q)words[i]}
        ((i += 1))
        if ((open)) && [[ $word == -- ]]; then
            open=0
        elif ((open)) && [[ $word == -?* ]]; then
            _rt_kind ${word%%=*}
            value=
            if [[ $word == *=* ]]; then
                value=${word#*=}
            elif [[ -n $kind && $kind != none ]]; then
                ((i < CURRENT)) || return 0
                value=${(Q)words[i]}
                ((i += 1))
            fi
            [[ ${word%%=*} != (-|)-root ]] || root=$value
        elif [[ -z $verb ]]; then
            verb=$word open=1
            _rt_table $verb
        else
            open=0
            ((count += 1))
        fi
    done
    kind=${operands[count + 1]:-any}
    if ((open)) && [[ $PREFIX == -* || $#operands == 0 ]]; then
        kind=flag
    fi
}

# _rt_containers offers the containers that have one of the statuses $@, of any without.
_rt_containers() {
    local row
    local -a line rows list fields
    line=(${(Q)words[1]/#\~/$HOME})
    [[ -z $root ]] || line+=(--root ${root/#\~/$HOME})
    rows=("${(@f)$($line list 2>/dev/null)}")
    for row in $rows[2,-1]; do
        fields=(${=row})
        ((! $#)) || (($@[(Ie)$fields[3]])) || continue
        list+=("$fields[1]:$fields[3]")
    done
    _describe -t containers container list
}

_rt_flags() {
    local row name
    local -a list fields
    for row in $flags; do
        fields=("${(@s:|:)row}")
        for name in ${=fields[1]}; do
            (($#name == 1)) && name=-$name || name=--$name
            list+=("$name:${(j:|:)fields[3,-1]}")
        done
    done
    _describe -t flags flag list
}

_rt() {
    local kind root
    local -a verbs flags operands list
    _rt_read
    if [[ $kind == flag && $PREFIX == *=* ]]; then
        _rt_kind ${PREFIX%%=*}
        compset -P '*=' # lasts until this function returns
    fi
    case $kind in
    flag) _rt_flags ;;
    command)
        _rt_table ''
        list=("${(@)verbs/|/:}")
        _describe -t commands 'rt command' list
        ;;
    dir) _files -/ ;;
    file) _files ;;
    container*) _rt_containers ${=kind#container} ;;
    words*)
        list=(${=kind#words})
        compadd -a list
        ;;
    *) _message value ;;
    esac
}

# The first call of an autoloaded function is that of the file.
if [[ $funcstack[1] == _rt ]]; then
    _rt "$@"
else
    compdef _rt rt
fi
