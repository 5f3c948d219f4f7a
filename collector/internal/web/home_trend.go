package web

import (
	"slices"
	"strings"
)

// Size of a trend's drawing, in its own units.
const (
	trendWidth  = 56
	trendHeight = 20
)

// trend is what came on each of the last days, as bars that begin at zero.
type trend struct {
	Text  string // "+12 en 7 días"
	Label string // every day, for who cannot see the bars
	Bars  []bar
}

type bar struct{ X, Y, Width, Height int }

// trend draws days, oldest first; nil where there is no history.
func (p *homePage) trend(days []int) *trend {
	if len(days) == 0 {
		return nil
	}
	t := &trend{}
	sum, most := 0, max(1, slices.Max(days))
	words := make([]string, len(days))
	step := trendWidth / len(days)
	for i, n := range days {
		sum += n
		words[i] = p.Date(p.Now.AddDate(0, 0, i+1-len(days))) + ": " + p.Number64(n)
		height := max(1, n*trendHeight/most) // a line where there was nothing
		t.Bars = append(t.Bars, bar{X: i * step, Y: trendHeight - height, Width: step - 2, Height: height})
	}
	t.Text = p.N("home.trend", sum)
	t.Label = p.T("home.trend.days", "Days", strings.Join(words, "; "))
	return t
}
