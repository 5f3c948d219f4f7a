// The console's only script: the theme before the first paint, then htmx for the
// parts that refresh themselves. Every page works without it.
import "./theme.js";
import "htmx.org";
import "./search.js";
import "./list.js";
import "./rail.js";
import "./review.js";
import "./copy.js";
