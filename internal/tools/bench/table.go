package main

import (
	"fmt"
	"io"
	"os"
	"text/tabwriter"
)

// row is one line of the table. better tells which way the target points.
type row struct {
	what         string
	value, peer  float64 // peer 0: there is none
	unit         string
	target       float64
	atLeast      bool // the target is a lower bound
	ratioTarget  bool // the target is of value / peer
	source, note string
}

// met reports whether the target was reached; a row without target always is.
func (r row) met() bool {
	v := r.value
	if r.ratioTarget && r.peer != 0 {
		v = r.value / r.peer
	}
	switch {
	case r.target == 0:
		return true
	case r.atLeast:
		return v >= r.target
	}
	return v <= r.target
}

func (r row) goal() string {
	if r.target == 0 {
		return "-"
	}
	sign, unit := "<=", r.unit
	if r.atLeast {
		sign = ">="
	}
	if r.ratioTarget {
		unit = "of peer"
	}
	word := "met"
	if !r.met() {
		word = "MISSED"
	}
	return fmt.Sprintf("%s %s %s: %s", sign, number(r.target), unit, word)
}

func number(v float64) string {
	switch {
	case v >= 100:
		return fmt.Sprintf("%.0f", v)
	case v >= 1:
		return fmt.Sprintf("%.2f", v)
	}
	return fmt.Sprintf("%.4f", v)
}

// tell prints what was measured since it was told last.
func (r *run) tell() {
	if len(r.rows) > 0 {
		printTable(os.Stdout, r.rows)
	}
	r.rows = nil
}

func printTable(w io.Writer, rows []row) {
	tw := tabwriter.NewWriter(w, 0, 4, 2, ' ', 0)
	fmt.Fprintln(tw, "  FIGURE\tMACHINE\tPEER\tRATIO\tTARGET\tNOTE")
	for _, r := range rows {
		peer, ratio := "-", "-"
		if r.peer != 0 {
			peer, ratio = number(r.peer)+" "+r.unit, number(r.value/r.peer)
			if r.source != "" {
				peer += " (" + r.source + ")"
			}
		}
		fmt.Fprintf(tw, "  %s\t%s %s\t%s\t%s\t%s\t%s\n", r.what, number(r.value), r.unit, peer, ratio, r.goal(), r.note)
	}
	_ = tw.Flush() // to standard output
}
