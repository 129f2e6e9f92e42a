import { registry } from "@web/core/registry";

const INPUT = ".o_tree_editor_node:last .o-autocomplete--input";

/** Has the machine, no beans for 60 days: six clicks, and a seventh to the workflow. */
registry.category("web_tour.tours").add("lifecycle_coffee_segment", {
    steps: () => [
        { content: "Click 1", trigger: ".o_kanban_button_new, .o-kanban-button-new", run: "click" },
        { trigger: "[name=name] input", run: "edit Coffee drinkers gone" },
        {
            content: "Click 2",
            trigger: ".o_lifecycle_shortcut:contains(Has bought)",
            run: "click",
        },
        { content: "The cursor is there already", trigger: `${INPUT}:focus` },
        { trigger: ".o-autocomplete--input:focus", run: "edit Tour machine" },
        {
            content: "Click 3",
            trigger: ".o-autocomplete--dropdown-item:contains(Tour machine)",
            run: "click",
        },
        { trigger: ".o_tag:contains(Tour machine)" },
        { content: "Both so far", trigger: "[name=match_count]:contains(2)" },
        {
            content: "Click 4",
            trigger: ".o_lifecycle_shortcut:contains(Has not bought)",
            run: "click",
        },
        { trigger: ".o-autocomplete--input:focus", run: "edit Tour beans" },
        {
            content: "Click 5",
            trigger: ".o-autocomplete--dropdown-item:contains(Tour beans)",
            run: "click",
        },
        { trigger: ".o_tag:contains(Tour beans)" },
        { content: "The live count is the preview", trigger: "[name=match_count]:contains(1)" },
        { content: "Click 6", trigger: ".o_form_button_save", run: "click" },
        {
            content: "The rule reads as sentences",
            trigger: ".o_tree_editor_condition:contains(Has bought Tour machine)",
        },
        {
            trigger:
                ".o_tree_editor_condition:contains(Has not bought Tour beans, in the last 60 days)",
        },
        {
            content: "Click 7: something is done for them",
            trigger: "button[name=action_new_workflow]",
            run: "click",
        },
        { trigger: "[name=segment_ids] .o_tag:contains(Coffee drinkers gone)" },
        { trigger: ".o_form_button_save", run: "click" },
        { trigger: ".o_form_saved, .o_form_status_indicator_buttons.invisible" },
    ],
});

/** The menu of fields names what people ask for, and nothing technical. */
registry.category("web_tour.tours").add("lifecycle_bought_fields", {
    steps: () => [
        {
            trigger: ".o_lifecycle_shortcut:contains(Has not bought)",
            run: "click",
        },
        { trigger: ".o_tree_editor .o_tree_editor .o_model_field_selector:first", run: "click" },
        {
            trigger: ".o_model_field_selector_popover_page",
            run: ({ anchor }) => {
                const names = [
                    ...anchor.querySelectorAll(".o_model_field_selector_popover_item_name"),
                ].map((item) => item.textContent.trim());
                const wanted = ["Product", "Product Category", "Product Tags", "Attributes"];
                if (names.slice(0, 4).join() !== wanted.join()) {
                    throw new Error(`offered first: ${names}`);
                }
                for (const name of ["ID", "Document Id", "Company", "Currency", "Customer"]) {
                    if (names.includes(name)) {
                        throw new Error(`${name} is offered`);
                    }
                }
            },
        },
        {
            trigger: ".o_model_field_selector_popover_item_name:contains(Times)",
            run: "click",
        },
        { trigger: ".o_tree_editor_condition:contains(Times) select:contains(at least)" },
        {
            content: "Touchpoints as well",
            trigger: ".o_lifecycle_shortcut:contains(Was not in touch)",
            run: "click",
        },
        { trigger: ".o-autocomplete--input:focus", run: "edit Opportunity created" },
        {
            trigger: ".o-autocomplete--dropdown-item:contains(Opportunity created)",
            run: "click",
        },
        { trigger: ".o_tag:contains(Opportunity created)" },
        { trigger: "[name=name] input", run: "edit Nothing asked" },
        { trigger: ".o_form_button_save", run: "click" },
        {
            trigger:
                ".o_tree_editor_condition:contains(Had none of Opportunity created, in the last 90 days)",
        },
    ],
});
