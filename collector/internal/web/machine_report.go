package web

import (
	"net/http"

	"vigia/collector/internal/apperr"
	"vigia/collector/internal/fleet"
)

// reportNow is the command for a whole inventory.
const reportNow = "report-now"

// machineReport asks the machines chosen for a whole inventory now. Those that are not
// connected are asked when they are.
func (c *console) machineReport(w http.ResponseWriter, r *http.Request) error {
	return c.askChosen(w, r, "/machines")
}

// askChosen asks them and goes back to the list.
func (c *console) askChosen(w http.ResponseWriter, r *http.Request, list string) error {
	ids, err := chosenRows(r)
	if err != nil {
		return err
	}
	asked := 0
	for _, id := range ids {
		m, err := c.Machines.Machine(r.Context(), id)
		if apperr.Is(err, apperr.NotFound) {
			continue
		} else if err != nil {
			return err
		}
		if m.State != fleet.Active { // others are not listened to
			continue
		}
		if _, err := c.Fleet.Ask(r.Context(), m.ID, reportNow, nil); err != nil {
			return err
		}
		asked++
	}
	p := c.newPage(w, r, "machines")
	c.backToList(w, r, list, p.N("machines.asked", asked))
	return nil
}
