// Package ask asks the real shells what they would complete, for tests.
package ask

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// Program is a program to run, and how it is run belongs to the test: it gives what the
// program printed to standard output, and an error for a failure or a word on standard error.
type Program struct {
	Args, Env []string
	Dir       string
}

// Shell is a shell that has loaded rt's completion.
type Shell struct {
	name string
	home string // the shell's HOME, and where rt is
	env  []string
	run  func(Program) (string, error)
}

// Load makes a directory of its own for a shell, below dir, in which rt is the program bin.
// Env is what bin needs besides.
func Load(name, bin, dir string, run func(Program) (string, error), env ...string) (Shell, error) {
	home := filepath.Join(dir, name)
	env = append(env, "HOME="+home, "TERM=dumb", "LC_ALL=C.UTF-8", "PATH="+home+":/usr/local/bin:/usr/bin:/bin")
	s := Shell{name, home, env, run}
	rt := filepath.Join(home, "rt")
	if err := os.Mkdir(home, 0o755); err != nil {
		return s, err
	}
	if err := os.Symlink(bin, rt); err != nil {
		return s, err
	}
	script, err := run(Program{[]string{rt, "completion", name}, env, home})
	if err != nil {
		return s, err
	}
	return s, os.WriteFile(filepath.Join(home, "completion"), []byte(script), 0o644)
}

// Words are what the shell offers at the end of line: for each, what would stand there, and the
// description: fish and zsh have a tab before it, bash shows it for COMP_TYPE=63 only.
func (s Shell) Words(line string) ([]string, error) {
	out, err := s.run(Program{s.args(), append(s.env, "LINE="+line), s.home})
	if err != nil {
		return nil, fmt.Errorf("%s, %q: %w", s.name, line, err)
	}
	return strings.FieldsFunc(out, func(r rune) bool { return r == '\n' }), nil
}

func (s Shell) args() []string {
	switch s.name {
	case "bash":
		return []string{"bash", "--norc", "--noprofile", "-c", bash}
	case "fish":
		return []string{"fish", "--no-config", "-c", fish}
	}
	return []string{s.name, "-f", "-c", zsh}
}

// bash parts words at blanks and "=", as it does by COMP_WORDBREAKS.
const bash = `
source ~/completion
read -ra COMP_WORDS <<<"${LINE//=/ = }"
[[ $LINE != *\  ]] || COMP_WORDS+=('')
COMP_CWORD=$((${#COMP_WORDS[@]} - 1)) COMP_TYPE=${COMP_TYPE:-9} COMP_LINE=$LINE COMP_POINT=${#LINE}
_rt
[[ ${#COMPREPLY[@]} = 0 ]] || printf '%s\n' "${COMPREPLY[@]}"
`

// complete(1) of fish puts a tab before descriptions.
const fish = `source ~/completion; complete -C "$LINE"`

// zsh completes only in an interactive shell on a terminal: zpty gives it one, and a compadd
// of our own in it writes down what it is asked to add. "wait" ends when the file "done" is there.
const zsh = `
zmodload zsh/zpty
mkdir -p ~/site && cp ~/completion ~/site/_rt
cat >~/setup <<'END'
PS1= PS2= COLUMNS=200
fpath=(~/site $fpath) # as installed: found and loaded by its first line
autoload -Uz compinit && compinit -u -d ~/dump
compadd() {
    local -a hits shown
    local i=${@[(i)-d]}
    if [[ " ${@[1,(i)--]} " != *" -"[OAD]" "* ]]; then
        ((i > $#)) || shown=("${(@P)@[i+1]}")
        builtin compadd -A hits -D shown "$@"
        for ((i = 1; i <= $#hits; i++)); do
            print -r -- $IPREFIX$hits[i]$'\t'${shown[i]#*  -- } >>~/hits
        done
    fi
    builtin compadd "$@"
}
_capture() { _main_complete; compstate[insert]= compstate[list]=; : >~/done }
zle -C capture complete-word _capture
bindkey '^I' capture
: >~/ready
END
rm -f ~/ready ~/done ~/hits
await() { local i; for i in {1..1000}; do [[ ! -e $1 ]] || return 0; sleep 0.02; done; print -u2 "no $1"; exit 1 }
zpty shell 'exec zsh -f -i'
zpty -w shell 'source ~/setup'
await ~/ready
zpty -w -n shell "$LINE"$'\t'
await ~/done
zpty -d shell
[[ ! -e ~/hits ]] || cat ~/hits
`
