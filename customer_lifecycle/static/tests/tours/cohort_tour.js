import { registry } from "@web/core/registry";

const TABLE = ".o_lifecycle_cohort[aria-busy=false]";

/** From a number of the cohorts to its customers and back to the same place. */
registry.category("web_tour.tours").add("lifecycle_cohorts", {
    steps: () => [
        { trigger: `${TABLE} table` },
        {
            content: "The buttons that switch views are as high as each other's icons ask for",
            trigger: ".o_switch_view.o_lifecycle_cohort",
            run({ anchor }) {
                if (anchor.offsetHeight > document.querySelector(".o_searchview").offsetHeight) {
                    throw new Error("the style of the table reaches the button of its view");
                }
            },
        },
        {
            content: "Filter by country",
            trigger: ".o_searchview_input",
            run: "edit Bhutan",
        },
        {
            trigger: ".o_searchview_autocomplete .o-dropdown-item:contains(Country)",
            run: "click",
        },
        { trigger: ".o_facet_values:contains(Bhutan)" },
        {
            content: "One of two ordered again the month after",
            trigger: `${TABLE} button[data-cell='0:1']:contains(50%)`,
        },
        {
            content: "Walk there by keyboard",
            trigger: `${TABLE} button[data-cell='0:0']`,
            run({ anchor }) {
                anchor.focus();
                const options = { key: "ArrowRight", bubbles: true };
                anchor.dispatchEvent(new KeyboardEvent("keydown", options));
            },
        },
        {
            trigger: `${TABLE} button[data-cell='0:1'][tabindex='0']:focus`,
            run: "click",
        },
        {
            content: "Exactly that customer",
            trigger: ".o_list_view .o_data_row:contains(Tour Stayer)",
        },
        { trigger: ".o_list_view:not(:has(.o_data_row:contains(Tour Leaver)))" },
        { content: "Go back", trigger: ".breadcrumb a:contains(Cohorts)", run: "click" },
        {
            content: "The filter is still there, and the number has the focus",
            trigger: ".o_facet_values:contains(Bhutan)",
        },
        { trigger: `${TABLE} button[data-cell='0:1']:focus` },
        {
            content: "Show money",
            trigger: ".o_lifecycle_cohort_measure",
            run: "select revenue_so_far",
        },
        { trigger: `${TABLE} button[data-cell='0:1']:contains(150)` },
        {
            content: "By year",
            trigger: ".o_lifecycle_cohort_interval",
            run: "select year",
        },
        { trigger: `${TABLE} caption:contains(Years)` },
        {
            content: "And as the other views of the same customers",
            trigger: ".o_switch_view.o_list",
            run: "click",
        },
        { trigger: ".o_data_row:contains(Tour Leaver)" },
    ],
});
