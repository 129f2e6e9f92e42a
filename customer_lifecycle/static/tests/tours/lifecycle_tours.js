import { registry } from "@web/core/registry";

const TAB = ".o_notebook .nav-link[name=customer_lifecycle]";

/** From a contact to the documents behind its figures, and back. */
registry.category("web_tour.tours").add("lifecycle_contact_to_document", {
    steps: () => [
        { content: "Open the tab", trigger: TAB, run: "click" },
        {
            content: "What was earned stands there",
            trigger: ".o_lifecycle_overview [data-tile=earned]:contains(300.00)",
        },
        { content: "So does the chart", trigger: ".o_lifecycle_year_chart canvas" },
        {
            content: "A figure explains itself",
            trigger: "[data-tile=earned] .o_lifecycle_help_tip",
            run: "click",
        },
        { trigger: ".o_lifecycle_help:contains(lifetime value)" },
        {
            content: "Ask how it was computed",
            trigger: ".o_lifecycle_computed",
            run: "click",
        },
        {
            content: "The total is the same",
            trigger: ".o_list_footer:contains(300.00)",
        },
        {
            content: "Open a document",
            trigger: ".o_data_row:contains(200.00) button[name=action_open_document]",
            run: "click",
        },
        { trigger: ".o_form_view .o_statusbar_status:contains(Sales Order)" },
        {
            content: "And go back",
            trigger: ".o_back_button a",
            run: "click",
        },
        { trigger: ".o_data_row button[name=action_open_document]" },
    ],
});

/** The customers' values in all their views, and from a row to the contact. */
registry.category("web_tour.tours").add("lifecycle_customer_values", {
    steps: () => [
        {
            content: "Take the first steps",
            trigger: ".o_lifecycle_first_steps .o_lifecycle_finish:enabled",
            run: "click",
        },
        {
            content: "What is left takes one line, and can be put away",
            trigger: ".o_lifecycle_first_steps:not(:has(.o_lifecycle_steps)) .o_lifecycle_close",
            run: "click",
        },
        { trigger: ".o_list_view:not(:has(.o_lifecycle_first_steps))" },
        { trigger: ".o_switch_view.o_kanban", run: "click" },
        { trigger: ".o_kanban_record:contains(Lifecycle Tour)" },
        { trigger: ".o_switch_view.o_pivot", run: "click" },
        { trigger: ".o_pivot table:contains(Earned so Far)" },
        { trigger: ".o_switch_view.o_graph", run: "click" },
        { trigger: ".o_graph_renderer canvas" },
        { trigger: ".o_switch_view.o_list", run: "click" },
        {
            content: "A row opens the contact",
            trigger: ".o_data_row:contains(Lifecycle Tour) td[name=partner_id]",
            run: "click",
        },
        { trigger: TAB },
    ],
});

/** From another app's reports to those on customers, which are in an app of their own. */
registry.category("web_tour.tours").add("lifecycle_reports_from_crm", {
    steps: () => [
        {
            trigger: ".o_menu_sections [data-menu-xmlid='crm.crm_menu_report']",
            run: "click",
        },
        {
            trigger:
                ".dropdown-item[data-menu-xmlid='customer_lifecycle.lifecycle_reports_crm_menu']",
            run: "click",
        },
        { trigger: ".o_menu_brand:contains(Customers)" },
        { trigger: ".o_breadcrumb:contains(Journey Map)" },
    ],
});
