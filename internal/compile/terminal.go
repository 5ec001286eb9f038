package compile

import (
	"rt/internal/plan"
)

// terminal makes the process's terminal, and /dev/console of it: a mount of the inode, by
// its fd, since the name pts/0 may be a link of the image (CVE-2025-52565).
func terminal(w *work) {
	if !w.process.Terminal {
		return
	}
	w.openTerminal()
	w.CloneTree(plan.SlotTty, "the terminal", plan.SlotTree)
	w.Attach(plan.SlotTree, "/dev/console", plan.AttachLikeSource|plan.AttachNoSymlinks)
	w.handTerminal()
}

// execTerminal leaves /dev/console to the container's own process.
func execTerminal(w *work) {
	if w.process.Terminal {
		w.openTerminal()
		w.handTerminal()
	}
}

func (w *work) openTerminal() {
	w.From("/process/terminal").Ptmx("/dev/pts", plan.SlotTmp)
	w.Ptpeer(plan.SlotTmp, plan.SlotTty)
}

// handTerminal gives the master away: who holds it inside could read what the workload's
// keyboard sends.
func (w *work) handTerminal() {
	step := plan.HostStep{Act: plan.ActTerminal, Call: plan.CallTerminal}
	if size := w.process.ConsoleSize; size != nil {
		step.A, step.B = uint64(size.Height), uint64(size.Width)
		w.From("/process/consoleSize")
	}
	w.Host(step)
	w.From("/process/terminal").Call(plan.CallTerminal, 0, plan.SlotTmp, plan.SlotNone)
	w.Close(plan.SlotTmp)
}

func takeTerminal(w *work) {
	if w.process.Terminal {
		w.From("/process/terminal").Tty(plan.SlotTty)
	}
}
