# Completion of rt(8) for fish. Written by "rt completion fish".

# __rt_table sets __rt_verbs, __rt_flags and __rt_operands to the rows of a command, of rt
# itself for "".
function __rt_table
    set -g __rt_verbs
    set -g __rt_flags
    set -g __rt_operands
    switch "$argv[1]"
#TABLE
    end
end

# __rt_kind prints the kind of a flag's value, nothing for an unknown flag.
function __rt_kind
    set -l name (string replace -r '^--?' '' -- $argv[1])
    for row in $__rt_flags
        set -l fields (string split -m 2 '|' -- $row)
        if contains -- $name (string split ' ' -- $fields[1])
            echo $fields[2]
            return
        end
    end
end

# __rt_containers ROOT [STATUS...] prints the containers that have one of the statuses.
function __rt_containers
    set -l line (commandline -opc)[1]
    test -z "$argv[1]"; or set -a line --root $argv[1]
    set line (string replace -r '^~' $HOME -- $line)
    for row in ($line list 2>/dev/null)[2..-1]
        set -l fields (string split -n ' ' -- $row)
        if not set -q argv[2]; or contains -- $fields[3] $argv[2..-1]
            printf '%s\t%s\n' $fields[1] $fields[3]
        end
    end
end

function __rt_flag_list
    for row in $__rt_flags
        set -l fields (string split -m 2 '|' -- $row)
        for name in (string split ' ' -- $fields[1])
            set -l dashes --
            test (string length -- $name) = 1; and set dashes -
            printf '%s%s\t%s\n' $dashes $name $fields[3]
        end
    end
end

# __rt_offer BEFORE KIND ROOT prints what can stand for a value, each behind BEFORE.
function __rt_offer
    set -l kind (string split ' ' -- $argv[2])
    set -l cur (string replace -- "$argv[1]" '' (commandline -ct))
    set -l found
    switch $kind[1]
        case flag
            set found (__rt_flag_list)
        case command
            __rt_table ''
            set found (string replace '|' \t -- $__rt_verbs)
        case container
            set found (__rt_containers "$argv[3]" $kind[2..-1])
        case words
            set found $kind[2..-1]
        case dir
            set found (__fish_complete_directories "$cur" '')
        case file
            set found (__fish_complete_path "$cur" '')
    end
    for row in $found
        echo -n "$argv[1]"
        echo $row
    end
end

# __rt_complete walks over the words before the cursor, as rt itself would.
function __rt_complete
    set -l words (commandline -opc)
    set -l cur (commandline -ct)
    set -e words[1]
    set -l command
    set -l root
    set -l open 1
    set -l count 0
    __rt_table ''
    while set -q words[1]
        set -l word $words[1]
        set -e words[1]
        if test -n "$open"; and test "$word" = --
            set open
        else if test -n "$open"; and string match -qr '^-.' -- $word
            set -l pair (string split -m 1 = -- $word)
            set -l kind (__rt_kind $pair[1])
            if not set -q pair[2]; and test -n "$kind" -a "$kind" != none
                if not set -q words[1]
                    __rt_offer '' $kind "$root"
                    return
                end
                set -a pair $words[1]
                set -e words[1]
            end
            string match -qr '^--?root$' -- $pair[1]; and set root $pair[2]
        else if test -z "$command"
            set command $word
            set open 1
            __rt_table $word
        else
            set open
            set count (math $count + 1)
        end
    end
    set -l kind $__rt_operands[(math $count + 1)]
    if test -z "$open"
        __rt_offer '' "$kind" "$root"
    else if string match -qr '^-.*=' -- $cur
        set -l name (string split -m 1 = -- $cur)[1]
        __rt_offer $name= (__rt_kind $name) "$root"
    else if string match -q -- '-*' $cur; or not set -q __rt_operands[1]
        __rt_offer '' flag
    else
        __rt_offer '' "$kind" "$root"
    end
end

complete -c rt -f -a '(__rt_complete)'
