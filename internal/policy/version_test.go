package policy

import (
	"testing"

	"pgregory.net/rapid"
)

// ladder ascends strictly; every pair is tried both ways.
func ladder() []string {
	return []string{
		"0.0~git2020", "0.9", "1.0~alpha1", "1.0~rc1", "1.0-dev", "1.0-alpha.1", "1.0-beta2", "1.0-rc1", "1.0-rc.2", "1.0-rc10",
		"1.0", "1.0-1", "1.0-1ubuntu2", "1.0-1+b1", "1.0-1.1", "1.0-2~bpo12+1", "1.0-2", "1.0a", "1.0+dfsg-1", "1.0.1", "1.2", "1.10",
		"2.3", "2.3-4~deb12u1", "2.3-4", "2.3-4+deb12u1", "2.3-4+deb12u2", "2.3-4.1", "2.3+dfsg-1", "2.3.1", "10.0.19045.3448", "10.0.22631.1",
		"20240101", "99999999999999999999999", "100000000000000000000000", "1:0.1", "1:2.3-4+deb12u1", "2:0",
	}
}

func TestVersionLadder(t *testing.T) {
	l := ladder()
	for i := range l {
		for j := range l {
			want := 0
			if i < j {
				want = -1
			} else if i > j {
				want = 1
			}
			if got := CompareVersions(l[i], l[j]); got != want {
				t.Errorf("CompareVersions(%q, %q) = %d, want %d", l[i], l[j], got, want)
			}
		}
	}
}

func TestVersionsThatAreEqual(t *testing.T) {
	for _, c := range [][2]string{{"1.0", "1.0.0.0"}, {"1", "1.0"}, {"v1.2.3", "1.2.3"}, {"1.2.3", "1.2.3.0"}, {"01.02", "1.2"}, {"0:1.2", "1.2"},
		{"1.0-RC1", "1.0-rc1"}, {"1.0.0-rc1", "1.0-rc1"}, {"1.0rc1", "1.0-rc1"}, {"1.0_2", "1.0.2"}, {"", ""}, {"", "0"}} {
		if got := CompareVersions(c[0], c[1]); got != 0 {
			t.Errorf("CompareVersions(%q, %q) = %d, want 0", c[0], c[1], got)
		}
	}
}

func TestVersionOrderIsAnOrder(t *testing.T) {
	v := rapid.OneOf(rapid.SampledFrom(ladder()), rapid.StringMatching(`[0-9]{0,2}(:?[0-9.~+a-c-]|rc|dev){0,6}`))
	rapid.Check(t, func(t *rapid.T) {
		a, b, c := v.Draw(t, "a"), v.Draw(t, "b"), v.Draw(t, "c")
		if CompareVersions(a, b) != -CompareVersions(b, a) {
			t.Fatalf("%q and %q: not antisymmetric", a, b)
		}
		if CompareVersions(a, b) <= 0 && CompareVersions(b, c) <= 0 && CompareVersions(a, c) > 0 {
			t.Fatalf("%q ≤ %q ≤ %q, but not the first ≤ the last", a, b, c)
		}
	})
}

func TestRanges(t *testing.T) {
	for _, c := range []struct {
		r, v string
		want bool
	}{
		{">=1.0, <3", "1.0", true}, {">=1.0, <3", "2.9.9-1", true}, {">=1.0, <3", "3", false}, {">=1.0, <3", "3.0~rc1", true}, {">=1.0, <3", "0.9", false},
		{">=1.0, <3", "", false}, {"*", "", false}, {"*", "7", true}, {">=1.0,<3", "1:2.3-4+deb12u1", true}, {">=1:1.0, <1:3", "1:2.3-4+deb12u1", true},
		{">=1:1.0", "2.3", false}, {"<1:1", "2.3", true}, {">= 2:0", "1:9", false},
		{"1.2.3", "1.2.3", true}, {"1.2.3", "1.2.3.0", true}, {"=1.2.3", "1.2.3-1", false}, {"==1.2.3", "1.2.3", true}, {"1.2.3", "1.2.30", false}, {"!=1.2", "1.2", false}, {"!=1.2", "1.3", true},
		{">1.2", "1.2", false}, {">1.2", "1.2-1", true}, {"<=1.2", "1.2", true}, {"<=1.2", "1.2-1", false},
		{"1.*", "1.2", true}, {"1.*", "1", true}, {"1.*", "10.2", false}, {"1.*", "1:1.4-2", true}, {"1:1.*", "1:1.4-2", true}, {"1:1.*", "1.4-2", false},
		{"1.2-*", "1.2-7", true}, {"1.[2-4]*", "1.3.9", true}, {"1.[2-4]*", "1.5", false}, {"1.*, !=1.5", "1.5", false}, {"1.*, !=1.5", "1.6", true},
		{"10.0.19045.0", "10.0.19045", true}, {">=10.0.19045.3000", "10.0.19045.3448", true}, {"1.0-RC1", "1.0-rc1", true},
	} {
		r, err := ParseRange(c.r)
		if err != nil {
			t.Errorf("%q: %v", c.r, err)
			continue
		}
		if got := r.Contains(c.v); got != c.want {
			t.Errorf("%q contains %q = %t, want %t", c.r, c.v, got, c.want)
		}
	}
	for _, bad := range []string{"", ",", ">=1,", ">=", ">=1 <3", "~1.2", "^1", ">=1.*", ">=abc", "1.[2", ">3, <1", ">1, <1", ">=1, <1", "1=2", "<>1",
		"1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1"} {
		if _, err := ParseRange(bad); err == nil {
			t.Errorf("%q: accepted", bad)
		}
	}
	if (Range{}).Contains("1") {
		t.Error("the zero range contains something")
	}
}

func FuzzRange(f *testing.F) {
	for _, v := range ladder() {
		f.Add(">="+v+", <3", v)
		f.Add("1.*", v)
	}
	f.Fuzz(func(t *testing.T, text, v string) {
		if CompareVersions(v, v) != 0 {
			t.Fatalf("%q differs from itself", v)
		}
		if r, err := ParseRange(text); err == nil {
			r.Contains(v)
		}
	})
}
