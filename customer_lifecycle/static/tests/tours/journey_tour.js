import { registry } from "@web/core/registry";

const TAB = ".o_notebook .nav-link[name=lifecycle_journey]";
const ROW = ".o_lifecycle_row:contains(Invoice INV)";

/** Open the journey, filter it, open an invoice, and come back to the same place. */
registry.category("web_tour.tours").add("lifecycle_journey", {
    steps: () => [
        { content: "Open the tab", trigger: TAB, run: "click" },
        { content: "The order is there", trigger: ".o_lifecycle_row:contains(Order S)" },
        {
            content: "Show payments only",
            trigger: ".o_lifecycle_chip[data-lane=payment]",
            run: "click",
        },
        { trigger: ".o_lifecycle_list:not(:has(.o_lifecycle_row:contains(Order S)))" },
        { content: "Open the invoice", trigger: ROW, run: "click" },
        { trigger: ".o_form_view:has(.o_field_widget[name=invoice_line_ids])" },
        { content: "Go back", trigger: ".o_back_button a", run: "click" },
        {
            content: "The tab is still open, the filter still set and the line focused",
            trigger: `${TAB}.active`,
        },
        { trigger: ".o_lifecycle_chip[data-lane=payment][aria-pressed=true]" },
        { trigger: `${ROW}:focus` },
        { trigger: ".o_lifecycle_list:not(:has(.o_lifecycle_row:contains(Order S)))" },
    ],
});

/** From an order to the journey of its customer. */
registry.category("web_tour.tours").add("lifecycle_journey_of_order", {
    steps: () => [
        {
            content: "The order leads to the journey",
            trigger: ".oe_stat_button:contains(Journey)",
            run: "click",
        },
        { trigger: ".o_lifecycle_journey .o_lifecycle_row:contains(Order S)" },
        {
            content: "A marker opens what it stands for",
            trigger: ".o_lifecycle_lane[data-lane=purchase] .o_lifecycle_marker:not(.o_many)",
            run: "click",
        },
        { trigger: ".o_form_view .o_statusbar_status:contains(Sales Order)" },
    ],
});
