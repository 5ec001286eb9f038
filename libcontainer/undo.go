package libcontainer

import "errors"

// undo is a stack of what takes a half-made container back.
type undo struct{ steps []func() error }

func (u *undo) push(f func() error) { u.steps = append(u.steps, f) }

// run takes everything back, the last first, if err is set. What fails is added to err.
func (u *undo) run(err *error) {
	if *err == nil {
		return
	}
	for i := len(u.steps) - 1; i >= 0; i-- {
		if e := u.steps[i](); e != nil {
			*err = errors.Join(*err, e)
		}
	}
}
