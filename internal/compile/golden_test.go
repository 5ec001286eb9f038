package compile

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/opencontainers/runtime-spec/specs-go"

	"rt/internal/kernel"
	"rt/internal/plan"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// golden is one configuration, and the part of its plan that is kept in testdata/NAME.golden.
type golden struct {
	name string
	edit func(*Input)
	part part
}

// part picks lines of a plan.
type part func(*Output, []plan.Line) []plan.Line

// below keeps what comes from these JSON pointers.
func below(pointers ...string) part {
	return func(_ *Output, lines []plan.Line) []plan.Line {
		return slices.DeleteFunc(lines, func(l plan.Line) bool {
			return !slices.ContainsFunc(pointers, func(p string) bool { return len(plan.Explain([]plan.Line{l}, p)) > 0 })
		})
	}
}

// from keeps everything from the first step of that name on.
func from(step string) part {
	return func(_ *Output, lines []plan.Line) []plan.Line {
		i := slices.IndexFunc(lines, func(l plan.Line) bool { return l.Step == step })
		return lines[max(i, 0):]
	}
}

// steps keeps the steps of these names.
func steps(names ...string) part {
	return func(_ *Output, lines []plan.Line) []plan.Line {
		return slices.DeleteFunc(lines, func(l plan.Line) bool { return !slices.Contains(names, l.Step) })
	}
}

// all keeps the whole plan, and what is no step of it.
func all(out *Output, lines []plan.Line) []plan.Line { return append(facts(out, nil), lines...) }

// facts are what the plan holds besides steps.
func facts(out *Output, _ []plan.Line) []plan.Line {
	p := out.Plan
	lines := []plan.Line{
		{Lane: "plan", Step: "rootfs", Args: out.Rootfs},
		{Lane: "plan", Step: "args", Args: fmt.Sprintf("%q", p.Args)},
		{Lane: "plan", Step: "env", Args: fmt.Sprintf("%q by the parent: %v", p.Env, p.Late)},
		{Lane: "plan", Step: "fds", Args: fmt.Sprintf("preserve %d, pass %v", p.Preserve, p.Pass)},
	}
	for _, w := range out.Cgroup.Writes {
		if w.Where == "" || strings.HasPrefix(w.Where, "/linux/resources/devices") {
			continue // package cgroups has its own tests
		}
		lines = append(lines, plan.Line{Lane: "plan", Step: "cgroup", Args: out.Cgroup.Dirs[w.Dir].Path + "/" + w.File + " = " + w.Value, Where: w.Where})
	}
	return lines
}

// on is an edit of the spec for the v1 host, the usual case.
func on(edit func(*specs.Spec)) func(*Input) { return func(in *Input) { edit(in.Spec) } }

func TestGolden(t *testing.T) {
	for _, g := range goldens() {
		t.Run(g.name, func(t *testing.T) { g.check(t, Container) })
	}
	for _, g := range execGoldens() {
		t.Run(g.name, func(t *testing.T) { g.check(t, compileExec) })
	}
	for _, g := range hookGoldens() {
		t.Run(g.name, func(t *testing.T) { g.check(t, compileHook) })
	}
}

func compileExec(in *Input) (*Output, error) {
	group, err := execGroup(in)
	if err != nil {
		return nil, err
	}
	return Exec(in, group)
}

func (g golden) input() *Input {
	in := baseInput(v1Host())
	g.edit(in)
	in.Split = Splits(in.Spec, in.Unified)
	return in
}

func (g golden) check(t *testing.T, compile func(*Input) (*Output, error)) {
	out, err := compile(g.input())
	if err != nil {
		t.Fatal(err)
	}
	var got strings.Builder
	plan.Print(&got, g.part(out, out.Plan.Lines()))
	for _, w := range out.Warnings {
		fmt.Fprintln(&got, "warning:", w)
	}
	compareFile(t, filepath.Join("testdata", g.name+".golden"), got.String())
}

func compareFile(t *testing.T, file, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if got == string(want) {
		return
	}
	t.Errorf("the plan is not %s (`make golden` rewrites it)", file)
	was, is := strings.Split(string(want), "\n"), strings.Split(got, "\n")
	for i := range max(len(was), len(is)) {
		if w, g := at(was, i), at(is, i); w != g {
			t.Errorf("line %d\n  was %s\n  is  %s", i+1, w, g)
			return
		}
	}
}

func at(lines []string, i int) string {
	if i < len(lines) {
		return lines[i]
	}
	return "(end)"
}

// TestGoldenFiles: each row has a file of its own, and each file its row.
func TestGoldenFiles(t *testing.T) {
	var want []string
	for _, g := range slices.Concat(goldens(), execGoldens(), hookGoldens()) {
		want = append(want, filepath.Join("testdata", g.name+".golden"))
	}
	slices.Sort(want)
	got, err := filepath.Glob("testdata/*.golden")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range append(slices.Clone(got), want...) {
		if slices.Contains(got, file) != slices.Contains(want, file) {
			t.Errorf("%s: no row, or no file", file)
		}
	}
	if len(slices.Compact(want)) != len(got) {
		t.Error("two rows have one name")
	}
	for _, file := range want {
		if st, err := os.Stat(file); err == nil && st.Size() == 0 {
			t.Errorf("%s is empty: the row shows nothing", file)
		}
	}
}

// TestPure: the same input gives the same plan, and stays as it is.
func TestPure(t *testing.T) {
	for _, g := range goldens() {
		pure(t, g, Container)
	}
	for _, g := range execGoldens() {
		pure(t, g, compileExec)
	}
	for _, g := range hookGoldens() {
		pure(t, g, compileHook)
	}
}

func pure(t *testing.T, g golden, compile func(*Input) (*Output, error)) {
	in := g.input()
	before := snapshot(t, in)
	first, err := compile(in)
	if err != nil {
		t.Fatal(g.name, err)
	}
	kept := snapshot(t, first)
	second, err := compile(in)
	if err != nil || !reflect.DeepEqual(first, second) {
		t.Errorf("%s: another plan the second time, %v", g.name, err)
	}
	if snapshot(t, in) != before || !reflect.DeepEqual(in, g.input()) {
		t.Errorf("%s: the input has changed", g.name)
	}
	if snapshot(t, first) != kept {
		t.Errorf("%s: the second compilation has changed the first plan", g.name)
	}
}

func snapshot(t *testing.T, v any) string {
	t.Helper()
	raw, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

// TestEnds: every plan ends with execve, and holds it once.
func TestEnds(t *testing.T) {
	for _, g := range goldens() {
		out, err := Container(g.input())
		if err != nil {
			t.Fatal(g.name, err)
		}
		i := slices.IndexFunc(out.Plan.Init, func(s plan.Step) bool { return s.Kind == plan.KindExec })
		if i != len(out.Plan.Init)-1 {
			t.Errorf("%s: execve is step %d of %d", g.name, i, len(out.Plan.Init))
		}
	}
}

// onV2 is on for the v2 host, whose plans are shorter.
func onV2(edit func(*specs.Spec)) func(*Input) {
	return func(in *Input) {
		in.Host, in.Unified = v2Host(), true
		edit(in.Spec)
	}
}

// withHost is another host than the usual one.
func withHost(h kernel.Host) func(*Input) {
	return func(in *Input) { in.Host, in.Unified = h, h.Cgroups.Version == 2 }
}

// TestPrelude: what goes ahead is what the whole plan begins with.
func TestPrelude(t *testing.T) {
	tested := 0
	for _, g := range goldens() {
		in := g.input()
		if !in.Split {
			continue
		}
		tested++
		whole, err := Container(in)
		if err != nil {
			t.Fatal(g.name, err)
		}
		ahead, err := Prelude(&Input{Spec: in.Spec, Host: kernel.Host{Caps: in.Host.Caps}, Own: in.Own, Split: true})
		if err != nil {
			t.Fatal(g.name, err)
		}
		if n := whole.Plan.Rest(); n == 0 || !reflect.DeepEqual(ahead.Init, whole.Plan.Init[:n]) {
			t.Errorf("%s: %v\nbegins otherwise than %v", g.name, whole.Plan.Init, ahead.Init)
		}
	}
	if tested < 5 {
		t.Errorf("%d plans have a part that goes ahead", tested)
	}
}
