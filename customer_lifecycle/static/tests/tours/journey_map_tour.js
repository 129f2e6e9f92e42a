import { registry } from "@web/core/registry";

const NEW = ".o_lifecycle_map_stage:has(h3:contains(New customer))";

/** From a number of the map to its customers, to one of them, and back to the same place. */
registry.category("web_tour.tours").add("lifecycle_journey_map", {
    steps: () => [
        { content: "Two are there or were", trigger: `${NEW} dd button:contains(2)` },
        {
            content: "Look at the last 90 days only",
            trigger: ".o_lifecycle_map_period",
            run: "select 90",
        },
        { trigger: ".o_lifecycle_map[aria-busy=false]" },
        {
            content: "Filter by country",
            trigger: ".o_searchview_input",
            run: "edit Belgium",
        },
        {
            trigger: ".o_searchview_autocomplete .o-dropdown-item:contains(Country)",
            run: "click",
        },
        { trigger: ".o_facet_values:contains(Belgium)" },
        {
            content: "Who went on?",
            trigger: `${NEW} .o_lifecycle_map_next button:contains(Active):contains(50%)`,
            run: "click",
        },
        {
            content: "Exactly that customer",
            trigger: ".o_list_view .o_data_row:contains(Tour Mover)",
        },
        { trigger: ".o_list_view:not(:has(.o_data_row:contains(Tour Stayer)))" },
        { content: "Go back", trigger: ".breadcrumb a:contains(Journey Map)", run: "click" },
        {
            content: "Filter and period are still there, and the number has the focus",
            trigger: ".o_facet_values:contains(Belgium)",
        },
        { trigger: ".o_lifecycle_map_period:has(option[value='90']:checked)" },
        { trigger: `${NEW} .o_lifecycle_map_next button:contains(Active):focus` },
        {
            content: "The same as a table",
            trigger: ".o_lifecycle_map_table_button",
            run: "click",
        },
        { trigger: ".o_lifecycle_map_table tr:contains(New customer):contains(Active 50%)" },
        {
            content: "And as the other views of the same customers",
            trigger: ".o_switch_view.o_kanban",
            run: "click",
        },
        { trigger: ".o_kanban_record:contains(Tour Stayer)" },
    ],
});
