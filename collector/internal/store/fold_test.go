package store_test

import (
	"context"
	"testing"

	"vigia/collector/internal/store"
	"vigia/collector/internal/store/storetest"
)

var foldCases = map[string]string{
	"":                                       "",
	"Querétaro":                              "queretaro",
	"QUERE\u0301TARO":                        "queretaro",
	"Ñandú ñ":                                "nandu n",
	"Über ÜBER u\u0308ber":                   "uber uber uber",
	"Straße STRASSE ẞ":                       "straße strasse ß",
	"İstanbul ISTANBUL ı":                    "istanbul istanbul ı",
	"ΟΔΟΣ οδός":                              "οδοσ οδοσ",
	"Årsrapport \u212b":                      "arsrapport a",
	"\u212a \u2126":                          "k ω",
	"ﬁle Ⅷ ²":                                "ﬁle ⅷ ²",
	"Ǆ ǅ":                                    "ǆ ǆ",
	"Ёлка Й":                                 "елка и",
	"한글":                                     "\u1112\u1161\u11ab\u1100\u1173\u11af",
	"a\u0301\u0327\u20dd\ufe20\u1dc4\u1ab0b": "ab",
	"emoji 👩‍💻 \u200b":                       "emoji 👩‍💻 \u200b",
	"tab\tnew\nline 'quote\" \\%_":           "tab\tnew\nline 'quote\" \\%_",
	"𝐀 𐐀":                                    "𝐀 𐐨",
	"Đ Ł Ø":                                  "đ ł ø",
}

func TestFoldIsOneFunction(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		for in, want := range foldCases {
			if got := store.Fold(in); got != want {
				t.Errorf("Fold(%+q) = %+q, want %+q", in, got, want)
			}
			var got string
			if err := s.Writer().QueryRowContext(context.Background(), "SELECT fold(cast($1 AS TEXT))", in).Scan(&got); err != nil {
				t.Fatal(err)
			}
			if got != want {
				t.Errorf("%s: fold(%+q) = %+q, want %+q", s.Engine(), in, got, want)
			}
		}
	})
}
