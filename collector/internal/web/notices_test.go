package web_test

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"vigia/collector/internal/notify"
)

// fakeWishes keeps what people chose.
type fakeWishes struct{ kept map[string]notify.Wish }

func (f *fakeWishes) Wish(_ context.Context, person string) (notify.Wish, error) {
	return f.kept[person], nil
}

func (f *fakeWishes) PutWish(_ context.Context, person string, w notify.Wish) error {
	if f.kept == nil {
		f.kept = map[string]notify.Wish{}
	}
	f.kept[person] = w
	return nil
}

func TestPeopleChooseTheirNotices(t *testing.T) {
	f := newFake()
	srv := console(t, f.deps(t))
	c := client(t, srv, f, "marta@example.com")
	code, body := postForm(t, c, srv.URL+"/account/notices?lang=es", url.Values{"delivery": {"weekly"}, "quiet": {"yes"}, "quiet_from": {"20:30"}, "quiet_to": {"06:45"}})
	if code != http.StatusOK || !strings.Contains(body, "Se guardó cómo quiere recibir sus avisos") || !strings.Contains(body, `<option value="weekly" selected>`) ||
		!strings.Contains(body, `name="quiet" value="yes" checked`) || !strings.Contains(body, `value="20:30"`) || !strings.Contains(body, `value="06:45"`) {
		t.Errorf("%d\n%s", code, body)
	}
	for _, bad := range []url.Values{{"delivery": {"never"}, "quiet_from": {"20:30"}, "quiet_to": {"06:45"}}, {"quiet_from": {"25:00"}, "quiet_to": {"06:45"}}, {}} {
		if code, _ := postForm(t, c, srv.URL+"/account/notices?lang=es", bad); code != http.StatusUnprocessableEntity && code != http.StatusBadRequest {
			t.Errorf("%v: %d", bad, code)
		}
	}
	if _, body := get(t, client(t, srv, f, "ivan@example.com"), srv.URL+"/account", "es"); strings.Contains(body, `<option value="weekly" selected>`) {
		t.Error("somebody else's choice is shown")
	}
}
