import { Component } from "@odoo/owl";
import { usePopover } from "@web/core/popover/popover_hook";

class HelpText extends Component {
    static template = "customer_lifecycle.HelpText";
    static props = { text: String, close: { type: Function, optional: true } };
}

/** A question mark that explains a figure on click, for mouse, finger and keyboard alike. */
export class HelpTip extends Component {
    static template = "customer_lifecycle.HelpTip";
    static props = { about: String, text: String };

    setup() {
        this.popover = usePopover(HelpText, { position: "top" });
    }

    toggle(ev) {
        if (this.popover.isOpen) {
            this.popover.close();
        } else {
            this.popover.open(ev.currentTarget, { text: this.props.text });
        }
    }
}
