package main

import "fmt"

// connectionsPart enrolls many agents, starts the collector anew, and reads its memory
// before and after they all connect.
func connectionsPart(r *run) error {
	c, err := r.enrolled(r.sqlite(), "connections")
	if err != nil {
		return err
	}
	defer c.stop()
	results, err := c.fleet(r.many, "connections", "connect", "--settle", "150s", "--programs", "50")
	if err != nil {
		return err
	}
	s := results[0]
	r.rows = append(r.rows, row{what: "memory a connected agent", value: float64(s.RSSAfter-s.RSSBefore) / float64(s.Agents) / 1024, unit: "KiB", target: 40,
		note: fmt.Sprintf("%d agents; resident %.0f MiB before, %.0f MiB after they connected and rested 150 s", s.Agents, mib(s.RSSBefore), mib(s.RSSAfter))})
	return nil
}

// reconnectsPart cuts many agents off and measures how fast all of them are back.
func reconnectsPart(r *run) error {
	c, err := r.enrolled(r.sqlite(), "reconnects")
	if err != nil {
		return err
	}
	defer c.stop()
	results, err := c.fleet(r.many, "reconnects", "connect,reconnect", "--settle", "1s", "--cycles", "2", "--programs", "50")
	if err != nil {
		return err
	}
	s := results[1]
	r.rows = append(r.rows, row{what: "agents that come back", value: s.PerSecond, unit: "/s", target: 400, atLeast: true,
		note: fmt.Sprintf("%d agents, %d tried again; %s", s.Agents, s.Retries, s.cost())})
	return nil
}

// enrolled returns a freshly started collector that knows many agents and holds a small
// report of each. The agents are kept in a folder of that name: they belong to this
// collector and no other.
func (r *run) enrolled(db database, folder string) (*collector, error) {
	c, err := r.serve(db)
	if err != nil {
		return nil, err
	}
	if _, err := c.fleet(r.many, folder, "first", "--programs", "50"); err != nil {
		c.stop()
		return nil, err
	}
	c.stop()
	return r.serve(c.db)
}
