package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"

	"vigia/collector/internal/apperr"
	"vigia/collector/internal/authorization"
)

var _ authorization.CatalogueStore = (*Store)(nil)

// catalogueBody is what of a catalogue is kept as JSON.
type catalogueBody struct {
	Rulings      []authorization.Ruling        `json:"rulings"`
	Rules        []authorization.CatalogueRule `json:"rules"`
	PurchaseFrom int64                         `json:"purchase_from"`
}

// catalogue returns the first catalogue that a query finds, else the built-in one.
func (s *Store) catalogue(ctx context.Context, tail string, args ...any) (authorization.Catalogue, error) {
	list, err := rows(ctx, s.on(ctx), "SELECT version, body, created_at, created_by, cause, undoes FROM severity_catalogue"+tail, args,
		func(r *sql.Rows, c *authorization.Catalogue) error {
			var raw string
			var at int64
			if err := r.Scan(&c.Version, &raw, &at, &c.CreatedBy, &c.Cause, &c.Undoes); err != nil {
				return err
			}
			var body catalogueBody
			if err := json.Unmarshal([]byte(raw), &body); err != nil {
				return fmt.Errorf("catalogue of severities, version %d: %w", c.Version, err)
			}
			c.CreatedAt, c.Rulings, c.Rules, c.PurchaseFrom = fromMicros(at), body.Rulings, body.Rules, body.PurchaseFrom
			return nil
		})
	if err != nil || len(list) == 0 {
		return authorization.BuiltIn(), s.mapError("reading the catalogue of severities", err)
	}
	return list[0], nil
}

// CurrentCatalogue implements authorization.CatalogueStore.
func (s *Store) CurrentCatalogue(ctx context.Context) (authorization.Catalogue, error) {
	return s.catalogue(ctx, " ORDER BY version DESC LIMIT 1")
}

// CatalogueVersion implements authorization.CatalogueStore.
func (s *Store) CatalogueVersion(ctx context.Context, version int64) (authorization.Catalogue, error) {
	c, err := s.catalogue(ctx, " WHERE version = $1", version)
	if err == nil && c.Version != version {
		err = apperr.New(apperr.NotFound, "catalogue.unknown", apperr.Args{"version": version})
	}
	return c, err
}

// SaveCatalogue implements authorization.CatalogueStore.
func (s *Store) SaveCatalogue(ctx context.Context, c authorization.Catalogue) error {
	body, err := json.Marshal(catalogueBody{c.Rulings, c.Rules, c.PurchaseFrom})
	if err != nil {
		return s.mapError("keeping the catalogue of severities", err)
	}
	return s.InTx(ctx, func(ctx context.Context) error {
		if err := s.Lock(ctx); err != nil { // no report is graded meanwhile
			return err
		}
		current, err := s.CurrentCatalogue(ctx)
		if err != nil {
			return err
		}
		if c.Version != current.Version+1 {
			return apperr.New(apperr.Conflict, "catalogue.changed", apperr.Args{"current": current.Version})
		}
		_, err = s.txFrom(ctx).tx.ExecContext(ctx, "INSERT INTO severity_catalogue (version, body, created_at, created_by, cause, undoes) VALUES ($1, $2, $3, $4, $5, $6)",
			c.Version, string(body), micros(c.CreatedAt), storable(c.CreatedBy), c.Cause, c.Undoes)
		return s.mapError("keeping the catalogue of severities", err)
	})
}
