import { browser } from "@web/core/browser/browser";
import { registry } from "@web/core/registry";
import { Interaction } from "@web/public/interaction";

/** Copies the customer's own link, and says so. */
export class ReferralCopyButton extends Interaction {
    static selector = ".o_lifecycle_referral";
    dynamicContent = {
        ".o_lifecycle_copy": { "t-on-click.prevent": this.copy },
        ".o_lifecycle_copied": { "t-att-class": () => ({ "d-none": !this.copied }) },
    };

    setup() {
        this.copied = false;
    }

    async copy() {
        const input = this.el.querySelector(".o_lifecycle_referral_link");
        input.select();
        await this.waitFor(browser.navigator.clipboard.writeText(input.value));
        this.copied = true;
    }
}

registry
    .category("public.interactions")
    .add("customer_lifecycle.referral_copy_button", ReferralCopyButton);
