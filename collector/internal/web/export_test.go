package web

import "vigia/collector/internal/access"

// Route is one line of the table of routes, for tests.
type Route struct{ Method, Path, Right string }

// Routes is the table of routes of a console over d.
func Routes(d Deps) []Route {
	var list []Route
	for _, r := range (&console{Deps: d}).routes() {
		list = append(list, Route{r.method, r.path, string(r.right)})
	}
	return list
}

// RefuseRoute is what registering one more route would answer.
func RefuseRoute(d Deps, r Route) error {
	c := &console{Deps: d}
	_, err := c.mux(append(c.routes(), route{r.Method, r.Path, access.Right(r.Right), c.nothingHere}))
	return err
}
