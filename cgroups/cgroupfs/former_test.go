package cgroupfs

import "testing"

func TestFormer(t *testing.T) {
	for _, r := range []struct{ name, text, value, want string }{
		{"number", "100", "5", "100"},
		{"text", "max", "5", "max"},
		{"empty", "", "0-1", ""},
		{"two numbers", "max 100000", "5000 100000", "max 100000"},
		{"two, one of them no number", "5000 100000", "max 100000", "5000 100000"},
		{"a word", "member", "root", "member"},
		{"first of several", "oom_kill_disable 0\nunder_oom 0\noom_kill 0", "1", "0"},
		{"default of a keyed file", "default 100\n8:0 50", "200", "100"},
		{"the same with its key", "default 100\n8:0 50", "default 200", "100"},
		{"line of a device", "8:0 rbps=1 wbps=max\n8:16 rbps=2 wbps=3", "8:16 wbps=5", "8:16 rbps=2 wbps=3"},
		{"device without a line", "8:0 rbps=1 wbps=max", "8:16 rbps=2 wiops=7", "8:16 rbps=max wiops=max"},
		{"weight of a device without a line", "default 100", "8:16 50", "8:16 default"},
		{"device with a name", "mlx4_0 hca_handle=2 hca_object=max\nmlx4_1 hca_handle=1 hca_object=1", "mlx4_1 hca_object=9", "mlx4_1 hca_handle=1 hca_object=1"},
	} {
		if got := former(r.text, r.value); got != r.want {
			t.Errorf("%s: got %q, want %q", r.name, got, r.want)
		}
	}
}
