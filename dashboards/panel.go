package dashboards

import "strconv"

// source is the data source chosen at the top of the page.
func source() Datasource { return Datasource{Type: "prometheus", UID: "${datasource}"} }

// A page places panels one after another on the grid, 24 wide, and numbers them.
type page struct {
	panels  []Panel
	x, y, h int
}

// add places p after the last panel, or below it if the line is full. The
// line is as high as its first panel.
func (g *page) add(width, height int, p Panel) {
	if g.x+width > 24 {
		g.x, g.y = 0, g.y+g.h
	}
	if g.x == 0 {
		g.h = height
	}
	p.ID = len(g.panels) + 1
	p.GridPos = GridPos{H: g.h, W: width, X: g.x, Y: g.y}
	g.panels = append(g.panels, p)
	g.x += width
}

// row begins a new part of the page.
func (g *page) row(title string) { g.add(24, 1, Panel{Type: "row", Title: title}) }

// panel returns a panel of the given kind that shows the queries.
func panel(kind, title, description, unit string, queries ...Target) Panel {
	ds := source()
	for i := range queries {
		queries[i].RefID = string(rune('A' + i))
	}
	return Panel{
		Type: kind, Title: title, Description: description, Datasource: &ds, Targets: queries,
		FieldConfig: &FieldConfig{Defaults: Defaults{Unit: unit}, Overrides: []Override{}},
	}
}

// lines returns a chart over time.
func lines(title, description, unit string, queries ...Target) Panel {
	p := panel("timeseries", title, description, unit, queries...)
	p.FieldConfig.Defaults.Custom = map[string]any{"lineWidth": 2, "fillOpacity": 0, "showPoints": "never", "spanNulls": false}
	p.Options = map[string]any{
		"legend":  map[string]any{"displayMode": "list", "placement": "bottom", "showLegend": true},
		"tooltip": map[string]any{"mode": "multi", "sort": "desc"},
	}
	return p
}

// states returns a band over time that changes colour with its value.
func states(title, description string, words map[float64]Word, queries ...Target) Panel {
	p := panel("state-timeline", title, description, "", queries...)
	options := make(map[string]Word, len(words))
	for value, word := range words {
		options[strconv.FormatFloat(value, 'f', -1, 64)] = word
	}
	p.FieldConfig.Defaults.Mappings = []Mapping{{Type: "value", Options: options}}
	p.Options = map[string]any{"mergeValues": true, "rowHeight": 0.9, "showValue": "auto"}
	return p
}

// fromZero makes p's axis begin at 0, as a share's must.
func fromZero(p Panel) Panel {
	zero := 0.0
	p.FieldConfig.Defaults.Min = &zero
	return p
}

// colour makes the series of p whose name matches appear in a colour, dashed
// if they are limits rather than measurements.
func colour(p Panel, regexp, colour string, dashed bool) Panel {
	properties := []Property{{ID: "color", Value: map[string]any{"mode": "fixed", "fixedColor": colour}}}
	if dashed {
		properties = append(properties, Property{ID: "custom.lineStyle", Value: map[string]any{"fill": "dash", "dash": []int{10, 10}}})
	}
	p.FieldConfig.Overrides = append(p.FieldConfig.Overrides, Override{
		Matcher: Matcher{ID: "byRegexp", Options: regexp}, Properties: properties,
	})
	return p
}

// tracks gives the two tracks of p the colours that they have everywhere.
func tracks(p Panel) Panel {
	return colour(colour(p, "/baseline/", "blue", false), "/canary/", "orange", false)
}
