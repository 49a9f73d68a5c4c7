package bench

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"time"
)

// ticksPerSecond is USER_HZ, in which Linux tells CPU times; it is 100 on every
// architecture that Go runs on.
const ticksPerSecond = 100

// cpu is time that processes have spent on a CPU.
type cpu struct{ user, system time.Duration }

func (c cpu) total() time.Duration { return c.user + c.system }

// cpuOf adds up what the processes have used since they started. It works on
// Linux only.
func cpuOf(pids []int) (cpu, error) {
	var sum cpu
	for _, pid := range pids {
		b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
		if err != nil {
			return cpu{}, fmt.Errorf("the CPU time of process %d can't be read: %w", pid, err)
		}
		one, err := parseStat(b)
		if err != nil {
			return cpu{}, fmt.Errorf("the CPU time of process %d: %w", pid, err)
		}
		sum.user += one.user
		sum.system += one.system
	}
	return sum, nil
}

// CPUOf returns the CPU time that processes have used since they started, to the
// hundredth of a second each. It works on Linux only.
func CPUOf(pids []int) (time.Duration, error) {
	c, err := cpuOf(pids)
	return c.total(), err
}

// parseStat reads fields 14 and 15 of /proc/PID/stat, counted after the name of
// the program, which may hold anything.
func parseStat(b []byte) (cpu, error) {
	_, rest, ok := bytes.Cut(b[max(0, bytes.LastIndexByte(b, ')')):], []byte(") "))
	fields := bytes.Fields(rest)
	if !ok || len(fields) < 13 {
		return cpu{}, fmt.Errorf("%q is not as expected", b)
	}
	user, err := strconv.ParseInt(string(fields[11]), 10, 64)
	if err != nil {
		return cpu{}, err
	}
	system, err := strconv.ParseInt(string(fields[12]), 10, 64)
	if err != nil {
		return cpu{}, err
	}
	const tick = time.Second / ticksPerSecond
	return cpu{time.Duration(user) * tick, time.Duration(system) * tick}, nil
}
