import { registry } from "@web/core/registry";

/** Goes to the entry of another app's menu, and into that app. */
export async function openMenu(env, action) {
    const { menu: menuService } = env.services;
    const menu = menuService.getAll().find((item) => item.xmlid === action.params.menu);
    await menuService.selectMenu(menu);
}

registry.category("actions").add("customer_lifecycle.open_menu", openMenu);
