package nsenter

import (
	"os"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"rt/internal/plan"
)

// devpts mounts one on /dev/pts of the image, below a /dev that can have nodes.
func (w *world) devpts() {
	w.nested("/dev")
	w.Fsopen("devpts")
	w.Fsconfig(unix.FSCONFIG_SET_STRING, "ptmxmode", "0600")
	w.Fsconfig(unix.FSCONFIG_SET_STRING, "mode", "0640")
	w.Fsconfig(unix.FSCONFIG_CMD_CREATE, "", "")
	w.Fsmount(0, plan.SlotTree, "/dev/pts")
	w.Attach(plan.SlotTree, "/dev/pts", plan.AttachMakeDir)
}

func (w *world) terminal() {
	w.devpts()
	w.Ptmx("/dev/pts", plan.SlotTmp)
	w.Ptpeer(plan.SlotTmp, plan.SlotTty)
}

// console mounts the terminal as the container's order does.
func (w *world) console() {
	w.CloneTree(plan.SlotTty, "the terminal", plan.SlotTree)
	w.Attach(plan.SlotTree, "/dev/console", plan.AttachLikeSource|plan.AttachNoSymlinks)
}

// tty is the controlling terminal's number, proc_pid_stat(5).
func (p *probe) tty() string {
	_, rest, _ := strings.Cut(p.proc("stat"), ") ")
	return strings.Fields(rest)[4]
}

func terminalEffects() []effect {
	return []effect{
		{"a controlling terminal", func(w *world) {
			w.terminal() // whose master stays open here: without one it would have hung up
			w.Number(plan.KindSetsid)
			w.Tty(plan.SlotTty)
			w.Number(plan.KindOwnStdio, 1000)
		}, func(t *testing.T, p *probe) {
			equal(t, "tty_nr", p.tty(), "34816") // 136:0
			for _, fd := range []string{"0", "1", "2"} {
				target, _ := os.Readlink(p.path("fd/" + fd))
				equal(t, "fd "+fd, strings.HasSuffix(target, "/0"), true)
			}
			equal(t, "node", lstat(t, p.in("dev/pts/0")), "020640 1000:0 136:0")
		}},
		{"a console", func(w *world) { w.terminal(); w.console() }, func(t *testing.T, p *probe) {
			equal(t, "console", lstat(t, p.in("dev/console")), "020640 0:0 136:0")
			equal(t, "file system", p.mounted("dev/console").fstype, "devpts")
		}},
		{"a console that the image has as a file", func(w *world) {
			w.devpts()
			w.devices()
			w.Mknod(plan.SlotDev, "console", plan.Node{Mode: unix.S_IFREG | 0o600})
			w.Ptmx("/dev/pts", plan.SlotTmp)
			w.Ptpeer(plan.SlotTmp, plan.SlotTty)
			w.console()
		}, func(t *testing.T, p *probe) { equal(t, "console", lstat(t, p.in("dev/console")), "020640 0:0 136:0") }},
	}
}

func terminalRefusals() []refusal {
	link := func(name, target string) func(w *world) {
		return func(w *world) {
			w.devices()
			w.Symlink(plan.SlotDev, name, target, plan.SymlinkReplace)
		}
	}
	return []refusal{
		{"no directory for a terminal", func(w *world) { w.Ptmx("/dev/pts", plan.SlotTmp) }, failure{plan.KindPtmx, unix.ENOENT, plan.DetailNoDevpts}},
		{"no devpts", func(w *world) { w.Mkdir("/dev/pts"); w.Ptmx("/dev/pts", plan.SlotTmp) }, failure{plan.KindPtmx, unix.ENODEV, plan.DetailNoDevpts}},
		{"the host's devpts, by a link", func(w *world) {
			w.nested("/dev")
			w.Mkdir("/host")
			w.OpenTree("/dev/pts", cloneTree, 0, plan.SlotTree)
			w.Attach(plan.SlotTree, "/host", 0)
			link("pts", "/host")(w)
			w.Ptmx("/dev/pts", plan.SlotTmp)
		}, failure{plan.KindPtmx, unix.ELOOP, plan.DetailNoDevpts}},
		{"a device that the image has as ptmx", func(w *world) {
			w.nested("/dev")
			w.Mkdir("/dev/pts")
			w.Open("/dev/pts", unix.O_PATH|unix.O_DIRECTORY, plan.OpenInRoot, plan.SlotDev)
			w.Mknod(plan.SlotDev, "ptmx", plan.Node{Mode: unix.S_IFCHR | 0o666, Dev: unix.Mkdev(5, 2)})
			w.Ptmx("/dev/pts", plan.SlotTmp)
		}, failure{plan.KindPtmx, unix.ENODEV, plan.DetailNoDevpts}},
		{"a mount on ptmx", func(w *world) {
			w.devpts()
			w.OpenTree("/dev/null", cloneTree, 0, plan.SlotTree)
			w.Attach(plan.SlotTree, "/dev/pts/ptmx", 0)
			w.Ptmx("/dev/pts", plan.SlotTmp)
		}, failure{plan.KindPtmx, unix.EXDEV, 0}},
		{"the other end of no terminal", func(w *world) {
			w.Open("/dev/null", unix.O_RDWR, 0, plan.SlotTmp)
			w.Ptpeer(plan.SlotTmp, plan.SlotTty)
		}, failure{plan.KindPtpeer, unix.ENOTTY, 0}},
		{"a terminal without a session", func(w *world) { w.terminal(); w.Tty(plan.SlotTty) }, failure{plan.KindTty, unix.EPERM, 0}},
		{"a session on no terminal", func(w *world) {
			w.Number(plan.KindSetsid)
			w.Open("/dev/null", unix.O_RDWR, 0, plan.SlotTty)
			w.Tty(plan.SlotTty)
		}, failure{plan.KindTty, unix.ENOTTY, 0}},
		{"a console that is a link", func(w *world) {
			w.terminal()
			link("console", w.outside)(w)
			w.console()
		}, failure{plan.KindAttach, unix.ELOOP, plan.DetailPlace}},
		{"a console that is a link to a file", func(w *world) {
			w.terminal()
			w.file("target", "", 0o600)
			link("console", "/target")(w)
			w.console()
		}, failure{plan.KindAttach, unix.ELOOP, plan.DetailPlace}},
		{"a console that is a directory", func(w *world) { w.terminal(); w.Mkdir("/dev/console"); w.console() },
			failure{plan.KindAttach, unix.ENOTDIR, 0}},
	}
}
