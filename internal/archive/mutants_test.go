package archive

import (
	"testing"

	"github.com/ourodb/ouro/internal/mutants"
)

// TestMutants plants bugs that must be noticed:
//
//	OURO_MUTANTS=1 go test -run Mutants -timeout 30m ./internal/archive
func TestMutants(t *testing.T) {
	const coord, causal, root, ring = "../core/coord", "../core/causal", "../..", "TestField_19_AnotherRing"
	mutants.Run(t, []mutants.Mutant{
		{
			Name: "checksums are not compared", File: "file.go", Test: "TestEveryFlippedBit",
			Old: "case binary.BigEndian.Uint32(tail) != crc:", New: "case binary.BigEndian.Uint32(tail) != crc && crc == 0:",
		},
		{
			Name: "roots are not compared", File: "file.go", Test: "TestARootThatDoesNotFit",
			Old: "int64(n) != records || said != root:", New: "int64(n) != records:",
		},
		{
			Name: "records are not counted", File: "file.go", Test: "TestARootThatDoesNotFit",
			Old: "int64(n) != records || said != root:", New: "said != root:",
		},
		{
			Name: "a partition that is missing is empty", File: "folder.go", Test: "TestFilesOfOthers",
			Old: "		return Sum{}, fmt.Errorf(\"%w: %s is missing\", ErrDamaged, filepath.Base(fileOf(dir, partition)))\n", New: "		return want, nil\n",
		},
		{
			Name: "files of any archive will do", File: "folder.go", Test: "TestFilesOfOthers",
			Old: "err == nil && sum != want", New: "err == nil && sum != want && false",
		},
		{
			Name: "files of any partition will do", File: "folder.go", Test: "TestFilesOfOthers",
			Old: "p < first || last < p", New: "false && (p < first || last < p)",
		},
		{
			Name: "files have their names before they are whole", File: "folder.go", Test: "TestTornFiles",
			Old: "	f, err := os.OpenFile(name+part, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)\n",
			New: "	_ = os.WriteFile(name, []byte(magic), 0o600)\n	f, err := os.OpenFile(name+part, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)\n",
		},
		{
			Name: "a file is restored as it is read", File: "restore.go", Test: "TestNothingOfADamagedFile|TestTornFiles",
			Old: "		if _, err := m.ReadPartition(w.Dir, p, func(ouro.Key, []byte) error { return nil }); err != nil {\n			return done, err\n		}\n", New: "",
		},
		{
			Name: "what is not complete is restored", File: "restore.go", Test: "TestGoesOn",
			Old: "	if !m.Complete {\n", New: "	if false {\n",
		},
		{
			Name: "what is there is made anew", File: "create.go", Test: "TestGoesOn",
			Old: "func(ouro.Key, []byte) error { return nil }); err != nil {\n", New: "func(ouro.Key, []byte) error { return nil }); true || err != nil {\n",
		},
		{
			Name: "pages that are not complete will do", File: "create.go", Test: "TestWhatIsNotTold",
			Old: "len(page.Missing) > 0", New: "false",
		},
		{
			Name: "what is held back is given up though the rest goes on", File: "pace.go", Test: "TestPatience",
			Old: "	since = max(since, time.Duration(p.last.Load()))\n", New: "",
		},
		{
			Name: "what is restored is not merged everywhere", Dir: coord, File: "put.go", Pkg: root, Test: ring,
			Old: "		p.known = true\n		p.spread(now, e, p.req.Record, p.req.Stamp)\n", New: "		p.known = true\n		p.spread(now, e, p.req.Record[:0:0], p.req.Stamp)\n",
		},
		{
			Name: "what is archived has forgotten its requests", Dir: causal, File: "sum.go", Pkg: root, Test: "TestField_19_RestoringUndoesNothing",
			Old: "		v.Sum = SumValue(seed, v.ContentType, v.Value)\n", New: "		v.Sum, v.Request = SumValue(seed, v.ContentType, v.Value), 0\n",
		},
		{
			Name: "what is restored has the sums of nowhere", Dir: causal, File: "sum.go", Pkg: root, Test: "TestField_19",
			Old: "		v.Sum = SumValue(seed, v.ContentType, v.Value)\n", New: "		v.Sum = SumValue(7, v.ContentType, v.Value)\n",
		},
	})
}
