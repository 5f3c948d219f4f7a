package web

import (
	"fmt"
	"net/http"

	"vigia/collector/internal/access"
	"vigia/collector/internal/account"
	"vigia/collector/internal/report"
)

// route is one address with what may be done there: whoever lacks the right gets no
// further. How far a right goes is the business of what the page asks.
type route struct {
	method, path string
	right        access.Right
	do           action
}

// routes lists every route of the console but the files of static.go. A route that
// changes what others see has a right to change; mux refuses any other.
func (c *console) routes() []route {
	return []route{
		{"GET", "/signin", access.Anybody, c.signinForm},
		{"POST", "/signin", access.Anybody, c.signinPassword},
		{"GET", "/signin/code", access.Anybody, c.signinCodeForm},
		{"POST", "/signin/code", access.Anybody, c.signinCode},
		{"GET", "/signin/link", access.Anybody, c.signinMailForm(account.ForSignIn)},
		{"POST", "/signin/link", access.Anybody, c.signinMail(account.ForSignIn)},
		{"GET", "/signin/reset", access.Anybody, c.signinMailForm(account.ForReset)},
		{"POST", "/signin/reset", access.Anybody, c.signinMail(account.ForReset)},
		{"GET", "/signin/{secret}", access.Anybody, c.signinShow},
		{"POST", "/signin/{secret}", access.Anybody, c.signinUse},
		{"POST", "/signout", access.Anybody, c.signout},

		{"GET", "/account", access.Oneself, c.accountShow},
		{"POST", "/account/preferences", access.Oneself, c.accountPreferences},
		{"POST", "/account/notices", access.Oneself, c.accountNotices},
		{"GET", "/account/password", access.Oneself, c.accountPasswordForm},
		{"POST", "/account/password", access.Oneself, c.accountPassword},
		{"GET", "/account/totp", access.Oneself, c.totpForm},
		{"POST", "/account/totp", access.Oneself, c.totpSet},
		{"POST", "/account/totp/codes", access.Oneself, c.totpCodes},
		{"POST", "/account/totp/remove", access.Oneself, c.totpRemove},
		{"POST", "/account/sessions/{id}/end", access.Oneself, c.sessionEnd},
		{"POST", "/account/sessions/end-others", access.Oneself, c.sessionEndOthers},
		{"GET", "/accounts", access.ChangeRoles, c.accountList},
		{"GET", "/accounts/find", access.ChangeRoles, c.accountFind},
		{"POST", "/accounts/sessions/{id}/end", access.ChangeRoles, c.accountEndSession},
		{"GET", "/accounts/{email}", access.ChangeRoles, c.accountOther},
		{"POST", "/accounts/{email}/invite", access.ChangeRoles, c.accountInvite()},
		{"POST", "/accounts/{email}/totp-reset", access.ChangeRoles, c.accountResetTOTP()},
		{"POST", "/accounts/{email}/end-sessions", access.ChangeRoles, c.accountEndSessions()},

		{"GET", "/{$}", access.Oneself, c.homeShow},
		{"GET", "/home/counts", access.Oneself, c.homeCounts},
		{"GET", "/search", access.Oneself, c.searchShow},
		{"GET", "/search/quick", access.Oneself, c.searchQuick},
		{"GET", "/help", access.Oneself, c.helpIndex},
		{"GET", "/help/{page}", access.Oneself, c.helpShow},

		{"GET", "/machines", access.SeeMachines, showList(c, c.machineList)},
		{"GET", "/machines.csv", access.SeeMachines, sendList(c, c.machineList, report.CSV)},
		{"GET", "/machines.xlsx", access.SeeMachines, sendList(c, c.machineList, report.XLSX)},
		{"POST", "/machines/report", access.ChangeMachines, c.machineReport},
		{"GET", "/machines/{id}", access.SeeMachines, c.machineShow},
		{"GET", "/machines/{id}/software", access.SeeMachines, c.machineSoftware},
		{"GET", "/machines/{id}/history", access.SeeMachines, c.machineHistory},
		{"GET", "/machines/{id}/findings", access.SeeMachines, c.machineFindings},
		{"GET", "/machines/{id}/records", access.SeeNonconformities, c.machineRecords},
		{"GET", "/machines/{id}/compare", access.SeeMachines, c.machineCompare},
		{"GET", "/machines/{id}/asked", access.SeeMachines, c.machineAsked},
		{"POST", "/machines/{id}/report", access.ChangeMachines, c.machineAsk},
		{"GET", "/machines/{id}/assign", access.ChangeMachines, c.machineAssignForm},
		{"POST", "/machines/{id}/assign", access.ChangeMachines, c.machineAssign},
		{"GET", "/machines/{id}/retire", access.ChangeMachines, c.machineRetireForm},
		{"POST", "/machines/{id}/retire", access.ChangeMachines, c.machineRetire},
		{"POST", "/machines/{id}/restore", access.ChangeMachines, c.machineRestore},

		{"GET", "/groups", access.SeeAllowlist, showList(c, c.groupList)},
		{"GET", "/groups.csv", access.SeeAllowlist, sendList(c, c.groupList, report.CSV)},
		{"GET", "/groups.xlsx", access.SeeAllowlist, sendList(c, c.groupList, report.XLSX)},
		{"GET", "/groups/new", access.ChangeMachines, c.groupNew},
		{"POST", "/groups/preview", access.ChangeMachines, c.groupPreview},
		{"POST", "/groups", access.ChangeMachines, c.groupCreate},
		{"GET", "/groups/of/{name}", access.SeeAllowlist, c.groupShow},
		{"GET", "/groups/of/{name}/edit", access.ChangeMachines, c.groupEdit},
		{"POST", "/groups/of/{name}", access.ChangeMachines, c.groupChange},
		{"GET", "/groups/of/{name}/delete", access.ChangeMachines, c.groupDeleteForm},
		{"POST", "/groups/of/{name}/delete", access.ChangeMachines, c.groupDelete},

		{"GET", "/software", access.SeePrograms, showList(c, c.softwareList)},
		{"GET", "/software.csv", access.SeePrograms, sendList(c, c.softwareList, report.CSV)},
		{"GET", "/software.xlsx", access.SeePrograms, sendList(c, c.softwareList, report.XLSX)},
		{"GET", "/software/titles", access.SeePrograms, showList(c, c.titleList)},
		{"GET", "/software/titles.csv", access.SeePrograms, sendList(c, c.titleList, report.CSV)},
		{"GET", "/software/titles.xlsx", access.SeePrograms, sendList(c, c.titleList, report.XLSX)},
		{"GET", "/software/titles/{n}", access.SeePrograms, c.titleShow},
		{"GET", titleRulesPath, access.SeePrograms, c.titleRules},
		{"POST", titleRulesPath, access.ChangeAllowlist, c.titleRuleAdd},
		{"POST", titleRulesPath + "/{n}/remove", access.ChangeAllowlist, c.titleRuleRemove},
		{"POST", titleRulesPath + "/undo", access.ChangeAllowlist, c.titleRuleUndo},

		{"GET", "/findings", access.SeeFindings, showList(c, c.findingList)},
		{"GET", "/findings.csv", access.SeeFindings, sendList(c, c.findingList, report.CSV)},
		{"GET", "/findings.xlsx", access.SeeFindings, sendList(c, c.findingList, report.XLSX)},
		{"GET", "/findings/{n}", access.SeeFindings, c.findingShow},
		{"POST", "/findings/{n}/ask", access.ReviewFindings, c.findingAsk},
		{"GET", severityPath, access.SeeAllowlist, c.severityShow},
		{"POST", severityPath, access.ChangeAllowlist, c.severityAdd},
		{"POST", severityPath + "/rulings", access.ChangeAllowlist, c.severityRulings},
		{"POST", severityPath + "/{n}/remove", access.ChangeAllowlist, c.severityRemove},
		{"POST", severityPath + "/undo", access.ChangeAllowlist, c.severityUndo},
		{"GET", reviewPath, access.ReviewFindings, c.reviewQueue},
		{"GET", reviewPath + "/authorize", access.ReviewFindings, c.reviewAuthorizeForm},
		{"POST", reviewPath + "/authorize", access.ReviewFindings, c.reviewAuthorize},
		{"POST", reviewPath + "/record", access.ReviewFindings, c.reviewRecord},
		{"POST", reviewPath + "/later", access.ReviewFindings, c.reviewLater},
		{"POST", reviewPath + "/undo", access.ReviewFindings, c.reviewUndo},

		{"GET", allowlistPath, access.SeeAllowlist, showList(c, c.allowlistList)},
		{"GET", allowlistPath + ".csv", access.SeeAllowlist, sendList(c, c.allowlistList, report.CSV)},
		{"GET", allowlistPath + ".xlsx", access.SeeAllowlist, sendList(c, c.allowlistList, report.XLSX)},
		{"GET", allowlistPath + "/export.yaml", access.SeeAllowlist, c.allowlistExport},
		{"GET", allowlistPath + "/rules/new", access.ChangeAllowlist, c.ruleNew},
		{"POST", allowlistPath + "/rules", access.ChangeAllowlist, c.ruleCreate},
		{"GET", allowlistPath + "/rules/{id}", access.SeeAllowlist, c.ruleShow},
		{"GET", allowlistPath + "/rules/{id}/edit", access.ChangeAllowlist, c.ruleEdit},
		{"POST", allowlistPath + "/rules/{id}", access.ChangeAllowlist, c.ruleChange},
		{"GET", allowlistPath + "/remove", access.ChangeAllowlist, c.ruleRemoveForm},
		{"POST", allowlistPath + "/remove", access.ChangeAllowlist, c.ruleRemove},
		{"GET", allowlistPath + "/history", access.SeeAllowlist, c.allowlistHistory},
		{"GET", allowlistPath + "/history/{n}", access.SeeAllowlist, c.allowlistVersion},
		{"POST", allowlistPath + "/history/{n}/undo", access.ChangeAllowlist, c.allowlistUndo},
		{"GET", allowlistPath + "/mode", access.SeeAllowlist, c.allowlistMode},
		{"POST", allowlistPath + "/mode", access.ChangeAllowlist, c.allowlistSwitch},
		{"GET", allowlistPath + "/proposals", access.SeeAllowlist, c.allowlistProposals},
		{"POST", allowlistPath + "/proposals", access.ChangeAllowlist, c.allowlistAccept},
		{"GET", allowlistImportPath, access.ChangeAllowlist, c.allowlistFileForm},
		{"POST", allowlistImportPath, access.ChangeAllowlist, c.allowlistFile},

		{"GET", "/nonconformities", access.SeeNonconformities, showList(c, c.nonconformityList)},
		{"GET", "/nonconformities.csv", access.SeeNonconformities, sendList(c, c.nonconformityList, report.CSV)},
		{"GET", "/nonconformities.xlsx", access.SeeNonconformities, sendList(c, c.nonconformityList, report.XLSX)},
		{"GET", "/nonconformities/analysis", access.SeeNonconformities, c.nonconformityAnalysis},
		{"GET", "/nonconformities/register.xlsx", access.SeeNonconformities, c.nonconformityRegister},
		{"GET", "/nonconformities/{number}", access.SeeNonconformities, c.nonconformityShow},
		{"GET", "/nonconformities/{number}/record.pdf", access.SeeNonconformities, c.nonconformityPDF},
		{"GET", "/nonconformities/{number}/steps/{step}", access.TakePart, c.nonconformityStepForm},
		{"POST", "/nonconformities/{number}/steps/{step}", access.TakePart, c.nonconformityStep},
		{"POST", "/nonconformities/{number}/comments", access.TakePart, c.nonconformityComment},
		{"POST", "/nonconformities/{number}" + filesEnd, access.TakePart, c.nonconformityAttach},
		{"GET", "/nonconformities/{number}" + filesEnd + "/{hash}", access.SeeNonconformities, c.nonconformityFile},

		{"GET", "/my", access.Oneself, c.myShow},
		{"GET", requestsPath, access.SeeRequests, showList(c, c.requestList)},
		{"GET", requestsPath + ".csv", access.SeeRequests, sendList(c, c.requestList, report.CSV)},
		{"GET", requestsPath + ".xlsx", access.SeeRequests, sendList(c, c.requestList, report.XLSX)},
		{"GET", requestsPath + "/new", access.Oneself, c.requestNew},
		{"POST", requestsPath, access.Oneself, c.requestCreate},
		{"GET", requestsPath + "/{number}", access.SeeRequests, c.requestShow},
		{"POST", requestsPath + "/{number}/decide", access.DecideRequests, c.requestDecide},
		{"POST", requestsPath + "/{number}/withdraw", access.Oneself, c.requestWithdraw},
		{"GET", rulesPath, access.SeeAllowlist, showList(c, c.ruleReviewList)},
		{"GET", rulesPath + ".csv", access.SeeAllowlist, sendList(c, c.ruleReviewList, report.CSV)},
		{"GET", rulesPath + ".xlsx", access.SeeAllowlist, sendList(c, c.ruleReviewList, report.XLSX)},
		{"POST", rulesPath + "/keep", access.ChangeAllowlist, c.ruleKeep},
		{"GET", rulesPath + "/{id}", access.SeeAllowlist, c.ruleReviewShow},
		{"POST", rulesPath + "/{id}/shorten", access.ChangeAllowlist, c.ruleShorten},
		{"POST", rulesPath + "/{id}/remove", access.ChangeAllowlist, c.ruleTakeOut},
		{"GET", brakePath, access.SeeAllowlist, c.brakeShow},
		{"POST", brakePath + "/resume", access.ChangeAllowlist, c.brakeResume},
		{"POST", brakePath + "/cap", access.ChangeSettings, c.brakeCap},
		{"GET", exceptionsPath, access.SeeAllowlist, showList(c, c.exceptionList)},
		{"GET", exceptionsPath + ".csv", access.SeeAllowlist, sendList(c, c.exceptionList, report.CSV)},
		{"GET", exceptionsPath + ".xlsx", access.SeeAllowlist, sendList(c, c.exceptionList, report.XLSX)},
		{"GET", "/answer/{secret}", access.Anybody, c.answerShow},
		{"POST", "/answer/{secret}/need", access.Anybody, c.answerNeed},
		{"POST", "/answer/{secret}/remove", access.Anybody, c.answerRemove},
		{"GET", "/questions/{n}", access.Oneself, c.questionShow},
		{"POST", "/questions/{n}/need", access.Oneself, c.questionNeed},
		{"POST", "/questions/{n}/remove", access.Oneself, c.questionRemove},

		{"GET", "/administration", access.SeePeople, c.administrationShow},

		{"GET", "/people", access.SeePeople, showList(c, c.personList)},
		{"GET", "/people.csv", access.SeePeople, sendList(c, c.personList, report.CSV)},
		{"GET", "/people.xlsx", access.SeePeople, sendList(c, c.personList, report.XLSX)},
		{"GET", "/people/new", access.ChangePeople, c.personNew},
		{"POST", "/people", access.ChangePeople, c.personCreate},
		{"GET", "/people/{n}", access.SeePeople, c.personShow},
		{"GET", "/people/{n}/edit", access.ChangePeople, c.personEdit},
		{"POST", "/people/{n}", access.ChangePeople, c.personChange},
		{"POST", "/people/{n}/deactivate", access.ChangePeople, c.personToggle(false)},
		{"POST", "/people/{n}/activate", access.ChangePeople, c.personToggle(true)},

		{"GET", "/areas", access.SeePeople, showList(c, c.areaList)},
		{"GET", "/areas.csv", access.SeePeople, sendList(c, c.areaList, report.CSV)},
		{"GET", "/areas.xlsx", access.SeePeople, sendList(c, c.areaList, report.XLSX)},
		{"GET", "/areas/new", access.ChangePeople, c.areaNew},
		{"POST", "/areas", access.ChangePeople, c.areaCreate},
		{"GET", "/areas/{n}", access.SeePeople, c.areaShow},
		{"GET", "/areas/{n}/edit", access.ChangePeople, c.areaEdit},
		{"POST", "/areas/{n}", access.ChangePeople, c.areaChange},
		{"POST", "/areas/{n}/deactivate", access.ChangePeople, c.areaToggle(false)},
		{"POST", "/areas/{n}/activate", access.ChangePeople, c.areaToggle(true)},

		{"GET", "/sites", access.SeePeople, showList(c, c.siteList)},
		{"GET", "/sites.csv", access.SeePeople, sendList(c, c.siteList, report.CSV)},
		{"GET", "/sites.xlsx", access.SeePeople, sendList(c, c.siteList, report.XLSX)},
		{"GET", "/sites/new", access.ChangePeople, c.siteNew},
		{"POST", "/sites", access.ChangePeople, c.siteCreate},
		{"GET", "/sites/{n}", access.SeePeople, c.siteShow},
		{"GET", "/sites/{n}/edit", access.ChangePeople, c.siteEdit},
		{"POST", "/sites/{n}", access.ChangePeople, c.siteChange},
		{"POST", "/sites/{n}/deactivate", access.ChangePeople, c.siteToggle(false)},
		{"POST", "/sites/{n}/activate", access.ChangePeople, c.siteToggle(true)},

		{"GET", importPath, access.ChangePeople, c.importForm},
		{"POST", importPath, access.ChangePeople, c.importBring},
		{"GET", importPath + "/template.csv", access.ChangePeople, c.importTemplate},
		{"GET", importPath + "/{id}", access.ChangePeople, c.importShow},
		{"POST", importPath + "/{id}", access.ChangePeople, c.importConfirm},

		{"GET", "/tokens", access.SeeAgents, showList(c, c.tokenList)},
		{"GET", "/tokens.csv", access.SeeAgents, sendList(c, c.tokenList, report.CSV)},
		{"GET", "/tokens.xlsx", access.SeeAgents, sendList(c, c.tokenList, report.XLSX)},
		{"GET", "/tokens/new", access.ChangeMachines, c.tokenNew},
		{"POST", "/tokens", access.ChangeMachines, c.tokenCreate},
		{"GET", "/tokens/{id}", access.SeeAgents, c.tokenShow},
		{"GET", "/tokens/{id}/revoke", access.ChangeMachines, c.tokenRevokeForm},
		{"POST", "/tokens/{id}/revoke", access.ChangeMachines, c.tokenRevoke},
		{"GET", "/agents", access.SeeAgents, showList(c, c.agentList)},
		{"GET", "/agents.csv", access.SeeAgents, sendList(c, c.agentList, report.CSV)},
		{"GET", "/agents.xlsx", access.SeeAgents, sendList(c, c.agentList, report.XLSX)},
		{"POST", "/agents/report", access.ChangeMachines, c.agentReport},
		{"GET", "/machines/{id}/agent", access.SeeAgents, c.agentShow},
		{"GET", "/machines/{id}/revoke", access.ChangeMachines, c.machineRevokeForm},
		{"POST", "/machines/{id}/revoke", access.ChangeMachines, c.machineRevoke},
		{"POST", "/machines/{id}/release", access.ChangeMachines, c.machineRelease},
		{"GET", "/certificates", access.SeeSettings, c.certificateShow},
		{"GET", "/certificates/live", access.SeeSettings, c.certificateLive},
		{"GET", "/certificates/ca.pem", access.SeeSettings, c.certificateFile},
		{"GET", "/certificates/rotate/{step}", access.ChangeSettings, c.rotateForm},
		{"POST", "/certificates/rotate/{step}", access.ChangeSettings, c.rotate},
		{"GET", "/certificates/of/{serial}/revoke", access.ChangeMachines, c.certificateRevokeForm},
		{"POST", "/certificates/of/{serial}/revoke", access.ChangeMachines, c.certificateRevoke},

		{"GET", "/audit", access.SeeAudit, showList(c, c.auditList)},
		{"GET", "/audit.csv", access.SeeAudit, sendList(c, c.auditList, report.CSV)},
		{"GET", "/audit.xlsx", access.SeeAudit, sendList(c, c.auditList, report.XLSX)},
		{"GET", "/audit/{n}", access.SeeAudit, c.auditShow},
		{"GET", "/audit/proof", access.SeeAudit, c.auditProof},
		{"GET", "/audit/proof/live", access.SeeAudit, c.auditLive},
		{"GET", "/audit/verify", access.SeeAudit, c.auditVerify},
		{"GET", "/audit/export", access.SeeAudit, c.auditExport},

		{"GET", "/settings", access.SeeSettings, c.settingEdit},
		{"POST", "/settings", access.ChangeSettings, c.settingChange},
		{"GET", "/calendar", access.SeeSettings, c.calendarShow},
		{"POST", "/calendar", access.ChangeSettings, c.calendarSave},
		{"POST", "/calendar/remove", access.ChangeSettings, c.calendarRemove},
		{"GET", "/mail", access.SeeSettings, showList(c, c.mailList)},
		{"GET", "/mail.csv", access.SeeSettings, sendList(c, c.mailList, report.CSV)},
		{"GET", "/mail.xlsx", access.SeeSettings, sendList(c, c.mailList, report.XLSX)},
		{"GET", "/received", access.SeeSettings, showList(c, c.receivedList)},
		{"GET", "/received.csv", access.SeeSettings, sendList(c, c.receivedList, report.CSV)},
		{"GET", "/received.xlsx", access.SeeSettings, sendList(c, c.receivedList, report.XLSX)},
		{"GET", "/mail/server", access.SeeSettings, c.mailServer},
		{"POST", "/mail/test", access.ChangeSettings, c.mailTest},
		{"GET", "/mail/{n}", access.SeeSettings, c.mailShow},
		{"POST", "/mail/{n}/retry", access.ChangeSettings, c.mailRetry},
		{"GET", "/updates", access.SeeSettings, c.updateList},
		{"POST", "/updates/{n}/pause", access.ChangeSettings, c.updatePause},
		{"GET", "/webhooks", access.SeeSettings, c.webhookList},
		{"GET", "/webhooks/new", access.ChangeSettings, c.webhookNew},
		{"POST", "/webhooks", access.ChangeSettings, c.webhookCreate},
		{"GET", "/deliveries", access.SeeSettings, showList(c, c.deliveryList)},
		{"GET", "/deliveries.csv", access.SeeSettings, sendList(c, c.deliveryList, report.CSV)},
		{"GET", "/deliveries.xlsx", access.SeeSettings, sendList(c, c.deliveryList, report.XLSX)},
		{"GET", "/deliveries/{n}", access.SeeSettings, c.deliveryShow},
		{"POST", "/deliveries/{n}/replay", access.ChangeSettings, c.deliveryReplay},
		{"GET", "/webhooks/{n}", access.SeeSettings, c.webhookShow},
		{"GET", "/webhooks/{n}/edit", access.ChangeSettings, c.webhookEdit},
		{"POST", "/webhooks/{n}", access.ChangeSettings, c.webhookChange},
		{"POST", "/webhooks/{n}/test", access.ChangeSettings, c.webhookTest},
		{"POST", "/webhooks/{n}/secret", access.ChangeSettings, c.webhookSecret},
		{"GET", "/webhooks/{n}/delete", access.ChangeSettings, c.webhookDeleteForm},
		{"POST", "/webhooks/{n}/delete", access.ChangeSettings, c.webhookDelete},
		{"GET", "/backups", access.SeeSettings, c.backupList},
		{"POST", "/backups", access.ChangeSettings, c.backupMake},
		{"GET", "/backups/live", access.SeeSettings, c.backupLive},
		{"GET", "/backups/{n}/file", access.ChangeSettings, c.backupFetch},

		{"", "/", access.Anybody, c.nothingHere},
	}
}

// mux registers the routes. The error names a route without a known right, or one that
// changes something with a right to read.
func (c *console) mux(list []route) (http.Handler, error) {
	m := http.NewServeMux()
	m.HandleFunc("GET /static/{file}", c.staticFile)
	m.HandleFunc("GET /favicon.ico", c.favicon)
	for _, r := range list {
		if err := r.check(); err != nil {
			return nil, err
		}
		pattern := r.path
		if r.method != "" {
			pattern = r.method + " " + r.path
		}
		m.Handle(pattern, c.page(r.right, r.do))
	}
	return m, nil
}

func (r route) check() error {
	switch {
	case r.do == nil:
		return fmt.Errorf("web: %s %s does nothing", r.method, r.path)
	case !access.Known(r.right):
		return fmt.Errorf("web: %s %s has no known right: %q", r.method, r.path, r.right)
	case r.method != "GET" && r.method != "" && r.right != access.Anybody && r.right != access.Oneself && !access.Changes(r.right):
		return fmt.Errorf("web: %s %s changes something, which %q does not allow", r.method, r.path, r.right)
	}
	return nil
}
