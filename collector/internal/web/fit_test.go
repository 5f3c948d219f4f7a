package web

import (
	"fmt"
	"testing"
)

func TestLongWordsBreakWhereAReaderWould(t *testing.T) {
	for in, want := range map[string]string{
		"":                                    "",
		"ana@example.com":                     "ana@example.com",
		"jefe.mantenimiento@example.com":      "jefe.mantenimiento<wbr>@example.com",
		"com.valvesoftware.Steam":             "com.<wbr>valvesoftware.<wbr>Steam",
		"Microsoft Visual C++ 2022 (x64)":     "Microsoft Visual C++ 2022 (x64)",
		"<script>alert(1)</script>@a.example": "&lt;script&gt;alert(1)&lt;/script&gt;<wbr>@a.example",
		`"><img src=x onerror=alert(document.cookie)>`: "&#34;&gt;&lt;img src=x onerror=alert(document.<wbr>cookie)&gt;",
	} {
		if got := fmt.Sprint(fit(in)); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}
