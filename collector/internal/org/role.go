package org

import (
	"slices"
	"strings"

	"vigia/collector/internal/actor"
	"vigia/internal/policy"
)

// roleOf reads a role as files of people write it: its name, with any accents, capitals,
// spaces and underscores, or one of the words that companies use for it.
func roleOf(text string) (actor.Role, bool) {
	name := strings.Join(strings.FieldsFunc(policy.Fold(text), func(r rune) bool { return r == ' ' || r == '_' || r == '-' }), "-")
	role := actor.Role(name)
	switch name {
	case "", "empleado", "empleada", "usuario", "usuaria", "user":
		role = actor.Employee
	case "admin", "administrador", "administradora":
		role = actor.Administrator
	case "tecnico", "tecnica", "sistemas", "it":
		role = actor.Technician
	case "manager", "gerente", "responsable-de-area", "jefe-de-area", "jefa-de-area":
		role = actor.AreaManager
	case "rh", "rrhh", "recursos-humanos", "human-resources":
		role = actor.HR
	case "compras":
		role = actor.Purchasing
	case "tesoreria":
		role = actor.Treasury
	case "gerencia-general", "direccion-general":
		role = actor.GeneralManagement
	case "auditora":
		role = actor.Auditor
	}
	return role, slices.Contains(actor.Roles(), role)
}
