package web

import (
	"net/http"
	"strings"
)

// Pages lists the paths of all pages and files that the console has to read, as the
// table of routes has them: "/machines/{id}". Tests and measurements that look at every
// kind of page take it from here, so that none is forgotten.
func Pages() []string {
	var list []string
	for _, r := range (&console{}).routes() {
		if r.method == http.MethodGet {
			list = append(list, strings.TrimSuffix(r.path, "{$}"))
		}
	}
	return list
}
