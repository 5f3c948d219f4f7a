package app

import "vigia/collector/internal/web"

// Pages lists the paths of all pages and files of the console, as its table of routes
// has them, for programs that measure every one: "/machines/{id}".
func Pages() []string { return web.Pages() }
