package cli

import (
	"io"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"rt/internal/errs"

	"golang.org/x/sys/unix"
)

// logger writes at most one record about a failure: warnings wait until the command's end,
// because managers take a second line on failure for something else than the error.
//
//	            text                          json
//	--log FILE  record to FILE, line to       record to FILE, error line to
//	            stderr                        stderr
//	no --log    line to stderr                record to stderr
type logger struct {
	stderr  io.Writer
	file    io.Writer // nil without --log
	json    bool
	verbose bool
	began   time.Time

	mu       sync.Mutex // guards warnings: libcontainer may warn from a goroutine
	warnings []string
}

func newLogger(stderr io.Writer) *logger { return &logger{stderr: stderr, began: time.Now()} }

// open carries out --log, --log-format and --debug. The file's format is set first, so
// that a file that cannot be opened is reported in it.
func (l *logger) open(g globals) error {
	l.json, l.verbose = g.logFormat == "json", g.verbose
	if g.logFile == "" {
		return nil
	}
	f, err := openFile(g.logFile, unix.O_WRONLY|unix.O_APPEND|unix.O_CREAT, 0o644)
	if err != nil {
		return errs.Op("open log", g.logFile, err)
	}
	l.file = f
	return nil
}

// warn holds a warning back until flush or fail.
func (l *logger) warn(text string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.warnings = append(l.warnings, text)
}

func (l *logger) held() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.warnings)
}

func (l *logger) taken() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	warnings := l.warnings
	l.warnings = nil
	return warnings
}

// debug logs a line of --debug, to the file if there is one.
func (l *logger) debug(text string) {
	if !l.verbose {
		return
	}
	r := record{Level: "debug", Msg: text}
	if l.file == nil && !l.json {
		l.line("debug: " + text)
		return
	}
	l.write(r)
}

// flush logs the warnings of a command that succeeded, or that goes on for long, each once.
func (l *logger) flush() {
	for _, text := range l.taken() {
		if !l.json {
			l.line("warning: " + text)
		}
		if l.json || l.file != nil {
			l.write(record{Level: "warning", Msg: text})
		}
	}
}

// fail logs the error of a command, with the warnings before it.
func (l *logger) fail(err error, usage string) {
	warnings := l.held()
	if l.json || l.file != nil {
		l.write(failed(err, warnings))
	}
	if l.json && l.file == nil {
		return
	}
	if !l.json {
		for _, text := range warnings {
			l.line("warning: " + text)
		}
	}
	l.line(err.Error())
	if errs.KindOf(err) == errs.Usage {
		io.WriteString(l.stderr, usage+"\n")
	}
}

func (l *logger) line(text string) { io.WriteString(l.stderr, "rt: "+text+"\n") }

// write appends one record by one write(2), so that records of commands that run at the
// same time do not mix. A full disk is no reason to fail a command that has succeeded.
func (l *logger) write(r record) {
	out := l.file
	if out == nil {
		out = l.stderr
	}
	r.Time = time.Now().UTC().Format(time.RFC3339Nano)
	if l.json {
		out.Write(r.appendJSON(nil))
		return
	}
	out.Write(r.appendText(nil))
}

// commandLine quotes the arguments for --debug. The values of variables are left out:
// they are where callers put secrets.
func commandLine(args []string) string {
	quoted := make([]string, len(args))
	for i, arg := range args {
		prefix, value := "", arg
		if flag, v, ok := strings.Cut(arg, "="); ok && isEnvFlag(flag) {
			prefix, value = flag+"=", v
		}
		if name, _, ok := strings.Cut(value, "="); ok && (prefix != "" || i > 0 && isEnvFlag(args[i-1])) {
			value = name + "=…"
		}
		quoted[i] = strconv.Quote(prefix + value)
	}
	return strings.Join(quoted, " ")
}

func isEnvFlag(arg string) bool {
	return arg == "-e" || arg == "--e" || arg == "-env" || arg == "--env"
}
