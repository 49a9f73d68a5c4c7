package handoff

import "testing"

// TestSteps: the number of an age grows with it, and its least age lies at most a
// fifth below it.
func TestSteps(t *testing.T) {
	last := 0
	for age := int64(0); age < 1<<40; age += 1 + age/97 {
		s := step(age)
		if s < last || s > last+1 {
			t.Fatalf("step %d of age %d follows %d", s, age, last)
		}
		last = s
		if l := least(s); l > age || age-l > age/5 || step(l) != s {
			t.Fatalf("age %d has step %d from %d on", age, s, l)
		}
	}
	if step(-5) != 0 || step(1<<62) != ages-1 {
		t.Errorf("steps %d and %d", step(-5), step(1<<62))
	}
}
