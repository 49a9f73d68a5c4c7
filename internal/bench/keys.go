package bench

import (
	"fmt"
	"math"
	"math/rand/v2"
)

// The distributions of keys.
const (
	Uniform = "uniform"
	Zipfian = "zipfian"
)

// theta is the skew of the zipfian distribution, the usual one of benchmarks of
// key-value stores.
const theta = 0.99

// chooser draws numbers from 0 to n-1.
type chooser interface{ next(r *rand.Rand) int }

func newChooser(dist string, n int) chooser {
	if dist == Zipfian {
		return newZipf(n)
	}
	return uniform(n)
}

type uniform int

func (u uniform) next(r *rand.Rand) int { return r.IntN(int(u)) }

// zipf draws rank i, from 1, with a probability in proportion to 1/i^theta (Gray
// and others, "Quickly Generating Billion-Record Synthetic Databases", 1994).
// Ranks are scattered over the numbers, so that hot keys are not neighbours.
type zipf struct {
	n, step      int
	alpha, zetan float64
	eta, second  float64
}

func newZipf(n int) *zipf {
	z := &zipf{n: n, step: coprime(n), alpha: 1 / (1 - theta), second: 1 + math.Pow(0.5, theta)}
	for i := 1; i <= n; i++ {
		z.zetan += 1 / math.Pow(float64(i), theta)
	}
	z.eta = (1 - math.Pow(2/float64(n), 1-theta)) / (1 - z.second/z.zetan)
	return z
}

// rank returns the rank, from 0, that u in [0,1) stands for.
func (z *zipf) rank(u float64) int {
	switch uz := u * z.zetan; {
	case uz < 1:
		return 0
	case uz < z.second:
		return min(1, z.n-1)
	default:
		return min(z.n-1, int(float64(z.n)*math.Pow(z.eta*u-z.eta+1, z.alpha)))
	}
}

func (z *zipf) next(r *rand.Rand) int { return z.rank(r.Float64()) * z.step % z.n }

// coprime returns a number that shares no factor with n, far from small.
func coprime(n int) int {
	step := max(1, int(float64(n)*0.618))
	for gcd(step, n) != 1 {
		step++
	}
	return step
}

func gcd(a, b int) int {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}

// keyName is the name of key i.
func keyName(i int) string { return fmt.Sprintf("key-%08d", i) }
