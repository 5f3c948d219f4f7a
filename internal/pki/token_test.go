package pki

import (
	"bytes"
	"encoding/base64"
	"reflect"
	"strings"
	"testing"
)

func sampleToken() Token {
	return Token{Addresses: []string{"collector.example.com:7443", "127.0.0.1:7443", "[2001:db8::1]:7443"},
		CA: Fingerprint{1, 2, 3}, Secret: bytes.Repeat([]byte{0xa5}, newSecret)}
}

func TestTokenRoundTrip(t *testing.T) {
	line, err := sampleToken().Encode()
	if err != nil {
		t.Fatal(err)
	}
	got, err := ParseToken("  " + line + "\n")
	if err != nil || !reflect.DeepEqual(got, sampleToken()) {
		t.Fatalf("got %+v, %v", got, err)
	}
	if strings.ContainsAny(line, " \n+/=") {
		t.Fatalf("token %q is not one plain word", line)
	}
}

func TestTokenErrorsNameWhatIsWrong(t *testing.T) {
	line, err := sampleToken().Encode()
	if err != nil {
		t.Fatal(err)
	}
	reseal := func(change func(b []byte) []byte) string {
		b, err := base64.RawURLEncoding.DecodeString(line[len(tokenPrefix):])
		if err != nil {
			t.Fatal(err)
		}
		b = change(b[:len(b)-tokenChecksum])
		return tokenPrefix + base64.RawURLEncoding.EncodeToString(append(b, checksum(b)...))
	}
	swapped := []byte(line)
	swapped[20], swapped[21] = 'Q', 'q'
	for name, c := range map[string]struct{ line, want string }{
		"empty":         {" \n", "token: empty"},
		"other":         {"hello world", "does not begin"},
		"version":       {"vigia9." + line[7:], "unknown version \"vigia9\""},
		"half":          {line[:len(line)/2], "truncated"},
		"one less":      {line[:len(line)-1], "truncated"},
		"prefix":        {"vigia1.", "truncated"},
		"part of it":    {"vigi", "truncated"},
		"mistyped":      {string(swapped), "mistyped"},
		"longer":        {line + "AAAA", "mistyped"},
		"bad character": {line[:12] + "!" + line[13:], "character 13"},
		"too long":      {tokenPrefix + strings.Repeat("A", 5000), "at most"},
		"lengths":       {reseal(func(b []byte) []byte { b[34] = 255; return b }), "made wrongly"},
	} {
		if _, err := ParseToken(c.line); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want … %s …", name, err, c.want)
		}
	}
}

func TestEveryWrongCharacterIsNoticed(t *testing.T) {
	line, err := sampleToken().Encode()
	if err != nil {
		t.Fatal(err)
	}
	for i := range line {
		b := []byte(line)
		if b[i]++; !strings.ContainsAny(string(b[i]), "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_") {
			b[i] = 'A'
		}
		if _, err := ParseToken(string(b)); err == nil {
			t.Errorf("character %d changed from %c to %c, and nobody noticed", i, line[i], b[i])
		}
	}
}

func TestTokenRefusesBadContent(t *testing.T) {
	for want, change := range map[string]func(*Token){
		"secret of 15":   func(t *Token) { t.Secret = t.Secret[:15] },
		"0 addresses":    func(t *Token) { t.Addresses = nil },
		"want host:port": func(t *Token) { t.Addresses = []string{"host"} },
		"port \"0\"":     func(t *Token) { t.Addresses = []string{"host:0"} },
		"port \"x\"":     func(t *Token) { t.Addresses = []string{"host:x"} },
		"no DNS name":    func(t *Token) { t.Addresses = []string{"a b:1"} },
		"names no":       func(t *Token) { t.Addresses = []string{"0.0.0.0:1"} },
	} {
		tok := sampleToken()
		change(&tok)
		if _, err := tok.Encode(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want … %s …", err, want)
		}
	}
}

func FuzzParseToken(f *testing.F) {
	line, err := sampleToken().Encode()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(line)
	f.Add(line[:30])
	f.Add("vigia1.AAAA")
	f.Fuzz(func(t *testing.T, s string) {
		tok, err := ParseToken(s)
		if err != nil {
			return
		}
		again, err := tok.Encode()
		if err != nil || again != strings.TrimSpace(s) {
			t.Fatalf("accepted %q, but encodes as %q, %v", s, again, err)
		}
	})
}
