package software

import (
	"fmt"
	"os/exec"
	"testing"

	"pgregory.net/rapid"
)

// versions in ascending order, from deb-version(7), Debian Policy 5.6.12 and the field.
var versions = []string{"~~", "~~a", "~", "", "0.9", "1.0~beta1~svn1245", "1.0~beta1", "1.0", "1.0-1~bpo12+1", "1.0-1", "1.0-1+b1", "1.0-1+deb12u1",
	"1.0-1.1", "1.0-2", "1.0-10", "1.0a", "1.0+", "1.0.1", "1.2-1ubuntu1", "1.10", "2.36-9+deb12u14", "20240101", "99999999999999999999999", "1:0.1", "2:0", "10:0"}

func TestCompareDebVersions(t *testing.T) {
	for i, a := range versions {
		for j, b := range versions {
			if got := CompareDebVersions(a, b); got != sign(i-j) {
				t.Errorf("compare %q, %q = %d", a, b, got)
			}
		}
	}
	for _, same := range [][2]string{{"0:1.0", "1.0"}, {"1.0-0", "1.0"}, {"1.01", "1.1"}, {"1.0", "1.000"}} {
		if got := CompareDebVersions(same[0], same[1]); got != 0 {
			t.Errorf("compare %q, %q = %d", same[0], same[1], got)
		}
	}
}

func TestCompareDebVersionsIsAnOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		version := rapid.StringMatching(`([0-9]:)?[0-9a-b~.+]{0,6}(-[0-9a~.+]{0,3})?`)
		a, b, c := version.Draw(t, "a"), version.Draw(t, "b"), version.Draw(t, "c")
		if CompareDebVersions(a, b) != -CompareDebVersions(b, a) {
			t.Fatalf("%q and %q", a, b)
		}
		if CompareDebVersions(a, b) <= 0 && CompareDebVersions(b, c) <= 0 && CompareDebVersions(a, c) > 0 {
			t.Fatalf("%q <= %q <= %q", a, b, c)
		}
	})
}

// TestCompareDebVersionsAsDpkgDoes asks dpkg itself about neighbours.
func TestCompareDebVersionsAsDpkgDoes(t *testing.T) {
	for i := 4; i+1 < len(versions); i++ { // dpkg refuses the first four
		for _, op := range []string{"lt", "eq", "gt"} {
			err := exec.Command("/usr/bin/dpkg", "--compare-versions", versions[i], op, versions[i+1]).Run()
			if want := map[string]int{"lt": -1, "eq": 0, "gt": 1}[op]; (err == nil) != (CompareDebVersions(versions[i], versions[i+1]) == want) {
				t.Error(fmt.Sprint(versions[i], op, versions[i+1], " dpkg: ", err))
			}
		}
	}
}
