"""The customers of the demo data: a supplier of coffee to cafés, hotels and offices."""

from collections import namedtuple

Customer = namedtuple("Customer", "key name country city rhythm size people")
Product = namedtuple("Product", "key name price kind category")

#: key, name, untaxed list price, product type, category
PRODUCTS = (
    Product("espresso", "Espresso Beans, 6 × 1 kg", 118.0, "consu", "Coffee"),
    Product("filter", "Filter Coffee, 12 × 500 g", 96.0, "consu", "Coffee"),
    Product("decaf", "Decaf Beans, 4 × 1 kg", 84.0, "consu", "Coffee"),
    Product("tea", "Loose Leaf Tea Box, 8 Sorts", 62.0, "consu", "Tea and Drinks"),
    Product("oat_drink", "Oat Drink, 12 × 1 l", 28.5, "consu", "Tea and Drinks"),
    Product("syrup", "Syrup Set, 6 Bottles", 49.0, "consu", "Tea and Drinks"),
    Product("cups", "Paper Cups, 1,000 Pieces", 74.9, "consu", "Supplies"),
    Product("water_filter", "Water Filter Cartridge", 89.0, "consu", "Supplies"),
    Product("cleaning", "Cleaning Tablets, 100 Pieces", 24.5, "consu", "Supplies"),
    Product("service", "Machine Service, per Visit", 140.0, "service", "Service"),
)

#: rhythm names the entry of ``rhythms.RHYTHMS``, size the usual net amount of an order; people
#: are contacts who order in the company's name
CUSTOMERS = (
    # the one that everybody knows
    Customer("grand_alpine", "Grand Alpine Hotels AG", "CH", "Zürich", "whale", 4600,
             ("Regula Amstutz", "Beat Kälin", "Nadia Frei")),
    # every other week
    Customer("corner_cup", "Corner Cup Cafés Ltd", "GB", "Bristol", "fortnightly", 540,
             ("Hannah Doyle", "Owen Pritchard")),
    Customer("nordlys", "Nordlys Kaffebar AS", "NO", "Bergen", "fortnightly", 430, ()),
    Customer("campus_mensa", "Campus Mensa Göttingen GmbH", "DE", "Göttingen", "term", 880,
             ("Jonas Brandt", "Friederike Lohse")),
    Customer("riverside_bakery", "Riverside Bakery Co.", "US", "Portland", "fortnightly", 310, ()),
    # once a month
    Customer("atelier_nord", "Atelier Nord Arkitekter", "DK", "Aarhus", "monthly", 260, ()),
    Customer("bakkerij_linde", "Bakkerij De Linde", "NL", "Utrecht", "monthly", 420, ()),
    Customer("caffe_vittoria", "Caffè Vittoria S.r.l.", "IT", "Torino", "monthly", 690,
             ("Giulia Ferraris", "Marco Bosio")),
    Customer("clinica_prado", "Clínica del Prado", "ES", "Madrid", "monthly", 380, ()),
    Customer("dupont_avocats", "Dupont & Associés Avocats", "FR", "Lyon", "office", 240, ()),
    Customer("ecotech", "EcoTech Systems GmbH", "DE", "Freiburg", "office", 510,
             ("Miriam Vogt", "Lars Henning")),
    Customer("fairfield_school", "Fairfield School Trust", "GB", "Leeds", "term", 350, ()),
    Customer("gasthof_post", "Gasthof zur Post", "AT", "Hallstatt", "monthly", 560, ()),
    Customer("harbour_books", "Harbour Books & Coffee", "IE", "Galway", "monthly", 190, ()),
    Customer("kanzlei_reuter", "Kanzlei Reuter und Partner", "DE", "Köln", "office", 170, ()),
    Customer("lumen_studio", "Lumen Film Studio", "BE", "Gent", "monthly", 330, ()),
    Customer("maple_clinic", "Maple Street Dental Clinic", "CA", "Halifax", "monthly", 210, ()),
    # four times a year
    Customer("notaire_blanc", "Étude Blanc Notaires", "FR", "Nantes", "quarterly", 300, ()),
    Customer("orchard_farm", "Orchard Farm Shop", "GB", "Hereford", "quarterly", 450, ()),
    Customer("pixelwerk", "Pixelwerk Agentur", "DE", "Leipzig", "quarterly", 390, ()),
    Customer("quinta_sol", "Quinta do Sol", "PT", "Évora", "quarterly", 720, ()),
    Customer("rathaus_wels", "Stadtverwaltung Wels", "AT", "Wels", "quarterly", 980,
             ("Gerlinde Pichler",)),
    Customer("scandi_fit", "Scandi Fit Gyms AB", "SE", "Uppsala", "quarterly", 520, ()),
    Customer("tandem_cycles", "Tandem Cycles", "NL", "Groningen", "quarterly", 180, ()),
    Customer("villa_mare", "Villa Mare Events", "HR", "Split", "quarterly", 640, ()),
    # when they feel like it
    Customer("wanderlust", "Wanderlust Travel Agency", "US", "Denver", "irregular", 230, ()),
    Customer("yoga_loft", "Yoga Loft", "DE", "Berlin", "irregular", 140, ()),
    Customer("zeppelin", "Zeppelin Coworking", "DE", "Friedrichshafen", "irregular", 610,
             ("Tamara Beck", "Ilja Sommer")),
    Customer("alder_theatre", "Alder Theatre Company", "GB", "Norwich", "irregular", 270, ()),
    Customer("bistro_lune", "Bistro de la Lune", "FR", "Annecy", "irregular", 380, ()),
    Customer("cinema_ritz", "Cinéma Ritz", "LU", "Luxembourg", "irregular", 340, ()),
    Customer("delft_robotics", "Delft Robotics B.V.", "NL", "Delft", "irregular", 480, ()),
    Customer("elm_hairdressers", "Elm Street Hairdressers", "US", "Austin", "irregular", 120, ()),
    Customer("fjord_ferries", "Fjord Ferries", "NO", "Ålesund", "irregular", 860, ()),
    Customer("green_grocer", "Green Grocer Collective", "IE", "Cork", "irregular", 290, ()),
    # ordering more and more
    Customer("bloom_bakeries", "Bloom Bakeries", "US", "Seattle", "growing", 780,
             ("Alicia Moreno", "Ken Watanabe")),
    Customer("hop_and_bean", "Hop & Bean Taproom", "GB", "Manchester", "growing", 460, ()),
    Customer("kioskkette", "Kioskkette Ruhr", "DE", "Essen", "growing", 620, ()),
    Customer("sunny_side", "Sunny Side Brunch", "AU", "Melbourne", "growing", 540, ()),
    # ordering less and less
    Customer("old_mill", "Old Mill Conference Centre", "GB", "York", "fading", 740, ()),
    Customer("parkhotel", "Parkhotel Bellevue", "CH", "Thun", "fading", 980,
             ("Ursina Caduff",)),
    Customer("tapas_norte", "Tapas Norte", "ES", "Bilbao", "fading", 310, ()),
    # with the seasons
    Customer("beach_club", "Beach Club Laguna", "GR", "Naxos", "summer", 690, ()),
    Customer("camping_see", "Camping am Waginger See", "DE", "Waging", "summer", 430, ()),
    Customer("ski_hut", "Berghütte Sonnkogel", "AT", "Zell am See", "winter", 570, ()),
    Customer("christmas_market", "Adventmarkt Rothenburg e.V.", "DE", "Rothenburg", "winter",
             820, ()),
    # gone
    Customer("arcade_diner", "Arcade Diner", "US", "Detroit", "lost", 350, ()),
    Customer("brasserie_nord", "Brasserie du Nord", "FR", "Lille", "lost", 560, ()),
    Customer("copy_corner", "Copy Corner", "NL", "Breda", "lost", 130, ()),
    Customer("gallery_west", "Gallery West", "IE", "Limerick", "lost", 220, ()),
    Customer("hostel_plaza", "Hostel Plaza", "PT", "Porto", "lost", 480, ()),
    Customer("tech_meadow", "Tech Meadow GmbH", "DE", "Dresden", "lost", 640,
             ("Sebastian Wolff",)),
    # one order, some time ago
    Customer("wedding_bells", "Wedding Bells Events", "GB", "Bath", "once", 890, ()),
    Customer("pop_up_gallery", "Pop-up Gallery Kollektiv", "AT", "Graz", "once", 160, ()),
    Customer("film_crew", "Northern Light Film Crew", "IS", "Reykjavík", "once", 1240, ()),
    Customer("trade_fair", "Fair Stand Builders", "BE", "Antwerpen", "once", 540, ()),
    Customer("sports_day", "Sports Day Committee", "US", "Boise", "once", 110, ()),
    Customer("book_fair", "Feria del Libro", "ES", "Sevilla", "once", 370, ()),
    # regulars of a few months
    Customer("harvest_table", "Harvest Table Kitchen", "US", "Madison", "young", 310, ()),
    Customer("kaffeeklappe", "Kaffeeklappe Hafen GmbH", "DE", "Bremen", "young", 270, ()),
    Customer("rosa_patisserie", "Pâtisserie Rosa", "FR", "Dijon", "young", 390, ()),
    # a little too quiet for regulars
    Customer("bike_and_brew", "Bike & Brew", "NL", "Nijmegen", "slipping", 360, ()),
    Customer("linden_hof", "Lindenhof Seminare", "AT", "Krems", "slipping", 640,
             ("Petra Sailer",)),
    Customer("mill_lane_deli", "Mill Lane Deli", "GB", "Ludlow", "slipping", 230, ()),
    # went elsewhere for half a year and came back
    Customer("opera_bar", "Bar de l'Opéra", "BE", "Liège", "returned", 450, ()),
    Customer("vinyl_cafe", "Vinyl Café", "US", "Nashville", "returned", 260, ()),
    # first order lately
    Customer("micro_roast", "Micro Roast Kiosk", "DE", "Kassel", "new", 240, ()),
    Customer("lakeside_spa", "Lakeside Spa Resort", "IT", "Como", "new", 910,
             ("Chiara Lombardi",)),
    Customer("law_loft", "Law Loft", "NL", "Rotterdam", "new", 190, ()),
    Customer("quay_office", "Quay Offices", "IE", "Dublin", "new", 420, ()),
    Customer("tiny_tigers", "Tiny Tigers Nursery", "GB", "Oxford", "new", 95, ()),
)

#: key, name, country, city, what they were offered: an opportunity, a quotation or both
PROSPECTS = (
    ("airport_lounge", "Airport Lounge Services", "FR", "Nice", ("opportunity", "quotation")),
    ("bank_canteen", "Union Bank Canteens", "CH", "Basel", ("opportunity",)),
    ("city_library", "City Library Café", "DK", "Odense", ("quotation",)),
    ("hospital_trust", "St Brigid Hospital Trust", "IE", "Waterford", ("opportunity",)),
    ("start_up_barn", "Start-up Barn", "DE", "Potsdam", ("quotation",)),
    ("train_bistro", "Train Bistro Holding", "AT", "Linz", ("opportunity",)),
    ("vintage_cinema", "Vintage Cinema Club", "GB", "Brighton", ("lost",)),
    ("wharf_gallery", "Wharf Gallery", "NL", "Haarlem", ("lost",)),
)

#: telephone numbers that are kept free for films, by country
FILM_NUMBERS = {
    "AU": "+61 2 5550 00{:02}",
    "CA": "+1 902-555-01{:02}",
    "DE": "+49 30 23125 0{:02}",
    "FR": "+33 1 99 00 10 {:02}",
    "GB": "+44 1632 9600{:02}",
    "IE": "+353 20 913 00{:02}",
    "SE": "+46 8 465 004 {:02}",
    "US": "+1 503-555-01{:02}",
}
#: elsewhere one that nobody can have
NO_NUMBER = "+{code} 0000 00{number:02}"

#: customers who came through another: friend, referrer
RECOMMENDED = (
    ("quay_office", "corner_cup"),
    ("tiny_tigers", "nordlys"),
    ("lumen_studio", "bakkerij_linde"),
)
