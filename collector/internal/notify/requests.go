package notify

// Templates of requests for authorization and of what is around them; Args that each needs
// are beside it.
const (
	RequestAsked    Template = "request-asked"     // Program, Person, Number, Purpose
	RequestGranted  Template = "request-granted"   // Program, Number, Reason
	RequestRefused  Template = "request-refused"   // Program, Number, Reason
	RequestOverdue  Template = "request-overdue"   // Program, Number, Reason
	RequestEnding   Template = "request-ending"    // Program, Number, Ends
	AskUser         Template = "ask-user"          // Program, Machine, Since
	PromiseBroken   Template = "promise-broken"    // Program, Machine, Person, Due
	BrakeOn         Template = "brake-on"          // Opened, Cap
	RecordsTakenOff Template = "records-withdrawn" // Count, Numbers, Reason
)

// requestTemplates lists them.
func requestTemplates() []Template {
	return []Template{RequestAsked, RequestGranted, RequestRefused, RequestOverdue, RequestEnding, AskUser, PromiseBroken, BrakeOn, RecordsTakenOff}
}
