package web

import "net/http"

// routes lists every route of the console.
func (c *console) routes() http.Handler {
	m := http.NewServeMux()

	m.HandleFunc("GET /static/{file}", c.staticFile)
	m.HandleFunc("GET /favicon.ico", c.favicon)

	m.Handle("GET /signin", c.open(c.signinHelp))
	m.Handle("GET /signin/{secret}", c.open(c.signinShow))
	m.Handle("POST /signin/{secret}", c.open(c.signinUse))
	m.Handle("POST /signout", c.open(c.signout))

	m.Handle("GET /{$}", c.page(seeEverything, c.homeShow))
	m.Handle("GET /home/counts", c.page(seeEverything, c.homeCounts))

	m.Handle("GET /machines", c.page(seeEverything, c.machineList))
	m.Handle("GET /machines/{id}", c.page(seeEverything, c.machineShow))
	m.Handle("GET /machines/{id}/software", c.page(seeEverything, c.machineSoftware))
	m.Handle("GET /machines/{id}/history", c.page(seeEverything, c.machineHistory))

	m.Handle("GET /software", c.page(seeEverything, c.softwareList))

	m.Handle("GET /findings", c.page(seeEverything, c.findingList))
	m.Handle("GET /findings/{n}", c.page(seeEverything, c.findingShow))

	m.Handle("GET /nonconformities", c.page(seeEverything, c.nonconformityList))
	m.Handle("GET /nonconformities/{number}", c.page(seeEverything, c.nonconformityShow))

	m.Handle("/", c.open(c.nothingHere))
	return m
}
