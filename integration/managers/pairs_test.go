//go:build managers

package managers

import (
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"testing"
	"time"
)

// paired is a manager whose users' time is compared between the runtimes.
type paired struct {
	name string
	open func(*testing.T, *engine)
	// argv is the whole command line that runs `true` in a container and removes it.
	argv func(e *engine, bin, id string) []string
}

func pairs() []paired {
	return []paired{
		{"podman run --rm", openPodman, podmanTrue},
		{"ctr run --rm", openContainerd2, onceContainerd2},
	}
}

// podmanTrue is one command line for one store: only the runtime is another.
func podmanTrue(e *engine, bin, id string) []string {
	line := append(slices.Clone(e.cli), e.args("run", []string{"--rm", "--name", id}, []string{"true"})...)
	line[slices.Index(line, "--runtime")+1] = bin
	return line
}

// TestPairs asks whether rt is faster than runc for a manager's users. RT_PAIRS is the number
// of rounds; in each both run, in an order by chance, and what counts is their difference.
func TestPairs(t *testing.T) {
	rounds, err := strconv.Atoi(os.Getenv("RT_PAIRS"))
	if err != nil || rounds < 2 {
		t.Skip("RT_PAIRS=N (make managers-pairs) measures N rounds")
	}
	for _, p := range pairs() {
		t.Run(p.name, func(t *testing.T) {
			runc, rt := p.measure(t, rounds)
			report(t, p.name, runc, rt)
		})
	}
}

// measure gives the times of each round, in ms. The first three rounds only warm up.
func (p paired) measure(t *testing.T, rounds int) (runc, rt []float64) {
	t.Helper()
	e := &engine{runtime: "runc", bin: binary(t, "runc"), dir: scratch(t), env: []string{"PATH=" + path, "HOME=/root"}}
	p.open(t, e)
	for range rounds + 3 {
		took := map[string]float64{}
		for _, i := range rand.Perm(len(runtimes)) {
			argv := p.argv(e, binary(t, runtimes[i]), e.fresh())
			begin := time.Now()
			d := command(e.env, nil, argv...)
			took[runtimes[i]] = float64(time.Since(begin).Microseconds()) / 1000
			d.must(t)
		}
		runc, rt = append(runc, took["runc"]), append(rt, took["rt"])
	}
	return runc[3:], rt[3:]
}

// report prints what was found, and fails unless rt is faster beyond doubt.
func report(t *testing.T, name string, runc, rt []float64) {
	t.Helper()
	differences := make([]float64, len(rt))
	for i := range rt {
		differences[i] = rt[i] - runc[i]
	}
	low, high := interval(differences)
	fmt.Printf("%s, %d pairs: runc %.1f ms, rt %.1f ms (medians); rt - runc: mean %.1f, median %.1f, 95 %% interval of the mean %.1f to %.1f ms\n",
		name, len(rt), median(runc), median(rt), mean(differences), median(differences), low, high)
	if high >= 0 {
		t.Errorf("%s: the interval %.1f to %.1f ms is not below 0", name, low, high)
	}
}

// interval is the 95 % interval of the mean, by 10000 bootstrap samples. The same numbers give
// the same interval.
func interval(values []float64) (low, high float64) {
	chance := rand.New(rand.NewPCG(1, 2))
	means := make([]float64, 10000)
	for i := range means {
		sum := 0.0
		for range values {
			sum += values[chance.IntN(len(values))]
		}
		means[i] = sum / float64(len(values))
	}
	slices.Sort(means)
	return means[250], means[9749]
}

func mean(values []float64) float64 {
	sum := 0.0
	for _, v := range values {
		sum += v
	}
	return sum / float64(len(values))
}

func median(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	return (sorted[len(sorted)/2] + sorted[(len(sorted)-1)/2]) / 2
}

// TestInterval: numbers whose answers are known.
func TestInterval(t *testing.T) {
	low, high := interval([]float64{-3, -3, -3, -3})
	if low != -3 || high != -3 {
		t.Errorf("of equals: %v %v", low, high)
	}
	if low, high = interval([]float64{-9, 9, -8, 8, -7, 7, -6, 6}); low >= 0 || high <= 0 {
		t.Errorf("around 0: %v %v", low, high)
	}
	if m := median([]float64{4, 1, 3, 2}); m != 2.5 {
		t.Errorf("median: %v", m)
	}
}
