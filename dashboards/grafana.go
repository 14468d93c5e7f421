package dashboards

// A Dashboard is a page of panels, as Grafana's JSON model has it.
type Dashboard struct {
	UID           string      `json:"uid"`
	Title         string      `json:"title"`
	Description   string      `json:"description"`
	Tags          []string    `json:"tags"`
	SchemaVersion int         `json:"schemaVersion"`
	Editable      bool        `json:"editable"`
	Tooltip       int         `json:"graphTooltip"` // 1 = one crosshair for all panels
	Refresh       string      `json:"refresh"`
	Time          TimeRange   `json:"time"`
	Templating    Templating  `json:"templating"`
	Annotations   Annotations `json:"annotations"`
	Panels        []Panel     `json:"panels"`
}

// A TimeRange is what a dashboard shows when it is opened.
type TimeRange struct {
	From string `json:"from"`
	To   string `json:"to"`
}

// Templating holds the choices at the top of a page.
type Templating struct {
	List []Variable `json:"list"`
}

// A Variable is one such choice: a data source, or the values of a label.
type Variable struct {
	Name       string      `json:"name"`
	Label      string      `json:"label"`
	Type       string      `json:"type"`                 // "datasource" or "query"
	Query      string      `json:"query"`                // the kind of data source, or label_values(…)
	Datasource *Datasource `json:"datasource,omitempty"` // of a query
	Refresh    int         `json:"refresh,omitempty"`    // 2 = whenever the time range changes
	Multi      bool        `json:"multi"`
	IncludeAll bool        `json:"includeAll"`
	AllValue   string      `json:"allValue,omitempty"`
	Current    *Current    `json:"current,omitempty"`
}

// Current is what a variable is set to when the page is opened.
type Current struct {
	Text  []string `json:"text"`
	Value []string `json:"value"`
}

// A Datasource says where a query goes.
type Datasource struct {
	Type string `json:"type"`
	UID  string `json:"uid"`
}

// Annotations holds what is marked on every panel.
type Annotations struct {
	List []Annotation `json:"list"`
}

// An Annotation marks the moments that a query gives.
type Annotation struct {
	Name            string     `json:"name"`
	Datasource      Datasource `json:"datasource"`
	Enable          bool       `json:"enable"`
	IconColor       string     `json:"iconColor"`
	Expr            string     `json:"expr"`
	Step            string     `json:"step"`
	TitleFormat     string     `json:"titleFormat"`
	TextFormat      string     `json:"textFormat"`
	TagKeys         string     `json:"tagKeys"`
	UseValueForTime string     `json:"useValueForTime,omitempty"` // "on": the value is the moment, in milliseconds
}

// A Panel is one chart, or a row's heading.
type Panel struct {
	ID          int            `json:"id"`
	Type        string         `json:"type"` // "timeseries", "stat", "state-timeline", "table", "row"
	Title       string         `json:"title"`
	Description string         `json:"description,omitempty"`
	GridPos     GridPos        `json:"gridPos"`
	Datasource  *Datasource    `json:"datasource,omitempty"`
	Targets     []Target       `json:"targets,omitempty"`
	FieldConfig *FieldConfig   `json:"fieldConfig,omitempty"`
	Options     map[string]any `json:"options,omitempty"`
}

// GridPos is where a panel is, on a grid 24 wide.
type GridPos struct {
	H int `json:"h"`
	W int `json:"w"`
	X int `json:"x"`
	Y int `json:"y"`
}

// A Target is one query of a panel.
type Target struct {
	RefID    string `json:"refId"`
	Expr     string `json:"expr"`
	Legend   string `json:"legendFormat"`
	Exemplar bool   `json:"exemplar,omitempty"`
	Instant  bool   `json:"instant,omitempty"`
	Format   string `json:"format,omitempty"` // "table", or a time series
}

// A FieldConfig says how values are shown.
type FieldConfig struct {
	Defaults  Defaults   `json:"defaults"`
	Overrides []Override `json:"overrides"`
}

// Defaults is how values are shown that no override matches.
type Defaults struct {
	Unit     string         `json:"unit,omitempty"`
	Min      *float64       `json:"min,omitempty"`
	Mappings []Mapping      `json:"mappings,omitempty"`
	Custom   map[string]any `json:"custom,omitempty"`
}

// A Mapping shows words in place of values.
type Mapping struct {
	Type    string          `json:"type"` // "value"
	Options map[string]Word `json:"options"`
}

// A Word stands for a value.
type Word struct {
	Text  string `json:"text"`
	Color string `json:"color"`
	Index int    `json:"index"`
}

// An Override changes how the series are shown whose name matches.
type Override struct {
	Matcher    Matcher    `json:"matcher"`
	Properties []Property `json:"properties"`
}

// A Matcher chooses series.
type Matcher struct {
	ID      string `json:"id"` // "byRegexp"
	Options string `json:"options"`
}

// A Property is one setting of an override.
type Property struct {
	ID    string `json:"id"`
	Value any    `json:"value"`
}
