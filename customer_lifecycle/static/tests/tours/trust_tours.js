import { browser } from "@web/core/browser/browser";
import { registry } from "@web/core/registry";

/** Steps that choose an action of the open contact's menu. */
const choose = (name) => [
    { trigger: ".o_form_view .o_cp_action_menus .dropdown-toggle", run: "click" },
    { trigger: `.o-dropdown--menu .o_menu_item:contains(${name})`, run: "click" },
];

/** A manager compares last month's revenue with Odoo's reports and opens what differs. */
registry.category("web_tour.tours").add("lifecycle_revenue_compared", {
    steps: () => [
        { trigger: "button[name=action_compare]", run: "click" },
        {
            content: "Nothing is left unexplained",
            trigger: "[name=unexplained]:contains(0.00)",
        },
        {
            content: "An order of somebody who is no customer is named as the difference",
            trigger: ".o_data_row:contains(excluded from the life cycle) button[name=action_open]",
            run: "click",
        },
        { trigger: ".o_list_view .o_data_row:contains(Not A Customer) .o_data_cell", run: "click" },
        {
            content: "The document",
            trigger: ".o_form_view [name=partner_id]:contains(Not A Customer)",
        },
        {
            content: "Back where one was",
            trigger: ".breadcrumb-item a:contains(Revenue Compared)",
            run: "click",
        },
        { trigger: ".o_data_row:contains(excluded from the life cycle)" },
    ],
});

/** An administrator says how long messages are kept. */
registry.category("web_tour.tours").add("lifecycle_retention", {
    steps: () => [
        { trigger: "[name=lifecycle_keep_deliveries] input", run: "edit 24" },
        { trigger: "[name=lifecycle_keep_audiences] input", run: "edit 12" },
        {
            trigger: ".o_control_panel button:contains(Save)",
            run: "click",
            expectUnloadPage: true,
        },
        { content: "Saved", trigger: "[name=lifecycle_keep_deliveries] input:value(24)" },
    ],
});

/** A manager anonymises a contact who has asked for it. */
registry.category("web_tour.tours").add("lifecycle_anonymise", {
    steps: () => [
        ...choose("Anonymise"),
        { trigger: ".modal:contains(This cannot be undone):contains(Large Tour)" },
        { trigger: ".modal button[name=action_anonymise]", run: "click" },
        {
            content: "The contact shows it at once",
            trigger: ".o_form_view:contains(Anonymised customer)",
        },
        { trigger: "body:not(:has(.modal))" },
    ],
});

/** A manager hands a person's file over. */
registry.category("web_tour.tours").add("lifecycle_person_file", {
    steps: () => [
        {
            content: "Read the file instead of opening a window for it",
            trigger: ".o_form_view",
            run: () => {
                browser.open = async (url) => {
                    const file = await (await browser.fetch(url)).json();
                    document.body.dataset.person = file.person.name;
                };
            },
        },
        ...choose("Personal Data (JSON)"),
        { trigger: "body[data-person='Large Tour']" },
        { trigger: ".o_form_view .o_cp_action_menus .dropdown-toggle", run: "click" },
        {
            content: "And as PDF",
            trigger: ".o-dropdown--menu .o_menu_item:contains(Personal Data (PDF))",
        },
    ],
});

/** A manager gives an order its right day. */
registry.category("web_tour.tours").add("lifecycle_set_aside", {
    steps: () => [
        {
            content: "The list says what to do",
            trigger: ".o_data_row:contains(Large Tour):contains(Correct the date)",
        },
        { trigger: ".o_data_row:contains(Large Tour) button[name=action_correct]", run: "click" },
        { trigger: ".modal [name=day] input, .modal [name=day] button", run: "click" },
        { trigger: ".modal [name=day] input", run: "edit 10/01/2026" },
        { trigger: ".modal button[name=action_correct]", run: "click" },
        {
            content: "Nothing is left",
            trigger: ".o_view_nocontent:contains(Every document can be counted)",
        },
    ],
});

/** A manager corrects whom an employee had bought for before he changed companies. */
registry.category("web_tour.tours").add("lifecycle_former_companies", {
    steps: () => [
        { trigger: ".o_notebook .nav-link[name=customer_lifecycle]", run: "click" },
        { trigger: "button[name=action_lifecycle_former_firms]", run: "click" },
        { trigger: ".o_data_row [name=firm_id]:contains(Tour Mill)", run: "click" },
        { trigger: ".o_data_row [name=firm_id] input", run: "edit Tour Works" },
        { trigger: ".o-autocomplete--dropdown-item:contains(Tour Works)", run: "click" },
        { trigger: ".o_list_button_save", run: "click" },
        { trigger: ".o_data_row:not(.o_selected_row) [name=firm_id]:contains(Tour Works)" },
    ],
});

/** Who may not use these screens is not led to them. */
registry.category("web_tour.tours").add("lifecycle_without_rights", {
    steps: () => [
        { trigger: ".o_notebook .nav-link[name=customer_lifecycle]", run: "click" },
        { trigger: ".o_notebook:not(:has(button[name=action_lifecycle_former_firms]))" },
        { trigger: ".o_form_view .o_cp_action_menus .dropdown-toggle", run: "click" },
        {
            content: "Neither anonymising nor files",
            trigger: ".o-dropdown--menu:not(:contains(Anonymise)):not(:contains(Personal Data))",
        },
    ],
});
