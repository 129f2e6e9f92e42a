import { registry } from "@web/core/registry";

/** A manager sees that nothing is known, enters money spent, and sees what a customer costs. */
registry.category("web_tour.tours").add("lifecycle_economics", {
    steps: () => [
        {
            content: "The chart comes first, the words stand above the table",
            trigger: ".o_switch_view.o_pivot",
            run: "click",
        },
        {
            content: "The words stand above the table",
            trigger: ".o_lifecycle_economics h2:contains(not known yet)",
        },
        { trigger: ".o_pivot th:contains(Cost per New Customer)" },
        {
            content: "Where nothing is known it says what to do",
            trigger: ".o_lifecycle_economics_getting button:contains(Enter money spent)",
            run: "click",
        },
        { trigger: ".o_list_button_add", run: "click" },
        { trigger: "[name=name] input", run: "edit Tour advert" },
        { trigger: "[name=amount] input", run: "edit 50" },
        { trigger: ".o_form_button_save", run: "click" },
        { trigger: ".o_form_saved" },
        {
            trigger: ".breadcrumb-item:contains(Getting and Keeping), .o_back_button",
            run: "click",
        },
        {
            content: "Now it is known",
            trigger: ".o_lifecycle_economics_getting dt:contains(Cost per New Customer)",
        },
        {
            content: "The words follow the filters",
            trigger: ".o_searchview_facet:contains(Last 12 Months) .o_facet_remove",
            run: "click",
        },
        { trigger: ".o_lifecycle_economics h2:contains(A new customer costs)" },
    ],
});

/** The orders of a large company are counted when somebody asks: words and table follow. */
registry.category("web_tour.tours").add("lifecycle_economics_count_again", {
    steps: () => [
        {
            content: "The chart comes first, the words stand above the table",
            trigger: ".o_switch_view.o_pivot",
            run: "click",
        },
        {
            content: "What was spent has not come back",
            trigger: ".o_lifecycle_economics_getting dd:contains(Not yet)",
        },
        {
            content: "Somebody sells more meanwhile",
            trigger: ".o_pivot tbody tr:first .o_pivot_cell_value:last:not(:contains(0))",
            run: async () => {
                const { orm } = odoo.__WOWL_DEBUG__.root.env.services;
                const [bought] = await orm.searchRead(
                    "lifecycle.external.purchase",
                    [["partner_id.name", "=", "Tour customer"]],
                    ["partner_id", "date"],
                );
                await orm.create("lifecycle.external.purchase", [
                    { partner_id: bought.partner_id[0], date: bought.date, amount: 500 },
                ]);
            },
        },
        { trigger: ".o_lifecycle_economics button:contains(Count again)", run: "click" },
        { trigger: ".o_lifecycle_economics_getting dd:contains(At once)" },
        {
            content: "The table says the same",
            trigger: ".o_pivot tbody tr:first .o_pivot_cell_value:last:contains(0)",
        },
    ],
});
