import { registry } from "@web/core/registry";

/** A manager opens the app on the overview, and goes from a number to its customers and back. */
registry.category("web_tour.tours").add("lifecycle_overview", {
    steps: () => [
        {
            content: "The app opens on the overview, which is its first menu",
            trigger: ".o_menu_sections > :first-child:contains(Overview)",
        },
        {
            content: "Purchases come a little later than the rest",
            trigger: "[data-tile=revenue] [data-cell=revenue]:contains(470)",
        },
        { trigger: "[data-tile=risk] :contains(at risk)" },
        {
            content: "Who slips is named with the reason",
            trigger: ".o_lifecycle_slipping li:contains(Slipping Tour):contains(every 10 days)",
        },
        {
            content: "The way from one period's revenue to the other's adds up",
            trigger: ".o_lifecycle_bridge tr:contains(New customers) td:contains(470.00)",
        },
        {
            trigger: "[data-tile=risk] [data-cell=risk]:contains(1)",
            run: "click",
        },
        {
            content: "The number's customers, with the money at risk",
            trigger: ".o_list_view .o_data_row:contains(Slipping Tour)",
        },
        { trigger: ".o_list_view:not(:has(.o_data_row:contains(Fresh Tour)))" },
        {
            trigger: ".breadcrumb-item:contains(Overview), .o_back_button",
            run: "click",
        },
        {
            content: "Back at the very number",
            trigger: "[data-tile=risk] [data-cell=risk]:focus",
        },
        {
            content: "Another period",
            trigger: ".o_lifecycle_customers [data-period='90']",
            run: "click",
        },
        {
            trigger: "[data-tile=revenue] [data-cell=revenue]:contains(2,070)",
        },
        {
            content: "A part of the bridge opens its customers",
            trigger: ".o_lifecycle_bridge [data-cell=bridge_new]",
            run: "click",
        },
        { trigger: ".o_list_view .o_data_row:contains(Fresh Tour)" },
        {
            trigger: ".breadcrumb-item:contains(Overview), .o_back_button",
            run: "click",
        },
        {
            content: "A customer who slips is called from here",
            trigger: ".o_lifecycle_slipping li:contains(Slipping Tour) button:contains(Call)",
            run: "click",
        },
        { trigger: ".modal button[name=action_reached]", run: "click" },
        {
            content: "The team's line counts it",
            trigger: "button[data-cell^=contacted_]:contains(1)",
        },
    ],
});

/** Salespeople start with whom to call; the overview shows their own customers. */
registry.category("web_tour.tours").add("lifecycle_overview_salesperson", {
    steps: () => [
        { trigger: ".o_breadcrumb:contains(To Contact)" },
        { trigger: ".o_menu_sections > :first-child:contains(Overview)", run: "click" },
        { trigger: "[data-tile=risk] [data-cell=risk]:contains(0)" },
        { trigger: ".o_lifecycle_customers:not(:contains(Slipping Tour))" },
        { trigger: ".o_lifecycle_customers:not(:contains(Worth knowing))" },
    ],
});
