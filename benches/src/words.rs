//! What sellers of ten languages write around a name. Written for measuring, apart from the scanner's own phrase packs.

/// A language, the market and currency where it is sold in, and its sellers' words.
pub struct Language {
    /// ISO 639.
    pub code: &'static str,
    /// ISO 3166.
    pub market: &'static str,
    /// ISO 4217.
    pub currency: &'static str,
    /// Names of goods: shoes, top, bag, watch, perfume, phone.
    pub goods: [&'static str; 6],
    /// Words that say that goods are copies.
    pub coded: &'static [&'static str],
    /// Words that deny that goods are genuine.
    pub denials: &'static [&'static str],
    /// Offers of what goes with a phone, `{}` for its name.
    pub accessories: &'static [&'static str],
    /// Words of used goods.
    pub used: &'static [&'static str],
    /// Harmless endings of titles.
    pub tails: &'static [&'static str],
}

/// All languages.
pub const LANGUAGES: [Language; 10] = [
    Language {
        code: "en",
        market: "US",
        currency: "USD",
        goods: ["shoes", "t-shirt", "handbag", "watch", "perfume", "smartphone"],
        coded: &["replica", "1:1 mirror quality", "AAA quality", "super clone", "UA high quality", "master copy"],
        denials: &["not original", "not authentic", "this is a fake", "not the real thing"],
        accessories: &["case for {}", "tempered glass screen protector for {}", "charging cable compatible with {}", "strap for {}"],
        used: &["pre-owned", "second hand", "used, good condition"],
        tails: &["free shipping", "ready stock", "new 2026", "all sizes"],
    },
    Language {
        code: "id",
        market: "ID",
        currency: "IDR",
        goods: ["sepatu", "kaos", "tas wanita", "jam tangan", "parfum", "hp"],
        coded: &["KW super", "mirror quality", "grade ori", "kw premium", "replika 1:1", "KW1"],
        denials: &["bukan original", "bukan ori", "tidak asli", "barang palsu"],
        accessories: &["casing untuk {}", "tempered glass {}", "kabel charger untuk {}", "softcase {}"],
        used: &["bekas", "second mulus", "preloved"],
        tails: &["murah", "ready stock", "COD", "terbaru"],
    },
    Language {
        code: "vi",
        market: "VN",
        currency: "VND",
        goods: ["giày", "áo thun", "túi xách", "đồng hồ", "nước hoa", "điện thoại"],
        coded: &["super fake", "rep 1:1", "siêu cấp", "like auth", "hàng fake"],
        denials: &["không phải hàng chính hãng", "hàng nhái", "không phải auth"],
        accessories: &["ốp lưng cho {}", "kính cường lực {}", "cáp sạc dành cho {}", "bao da {}"],
        used: &["đã qua sử dụng", "hàng cũ", "2hand"],
        tails: &["giá rẻ", "có sẵn", "mới 2026", "freeship"],
    },
    Language {
        code: "th",
        market: "TH",
        currency: "THB",
        goods: ["รองเท้า", "เสื้อยืด", "กระเป๋า", "นาฬิกา", "น้ำหอม", "โทรศัพท์"],
        coded: &["งานมิลเลอร์", "เกรดมิลเลอร์", "งานก๊อป", "งานเทียบแท้", "top mirror"],
        denials: &["ไม่ใช่ของแท้", "ไม่แท้", "ของปลอม"],
        accessories: &["เคส สำหรับ {}", "ฟิล์มกระจก {}", "สายชาร์จ ใช้กับ {}"],
        used: &["มือสอง", "ของมือสอง", "สภาพมือสอง"],
        tails: &["พร้อมส่ง", "ราคาถูก", "ส่งฟรี"],
    },
    Language {
        code: "ms",
        market: "MY",
        currency: "MYR",
        goods: ["kasut", "baju", "beg tangan", "jam tangan", "minyak wangi", "telefon"],
        coded: &["gred AAA", "copy ori", "replika", "mirror quality", "grade 1:1"],
        denials: &["bukan original", "tidak asli", "barang tiruan"],
        accessories: &["sarung telefon untuk {}", "kabel pengecas sesuai untuk {}", "casing {}"],
        used: &["terpakai", "preloved", "second hand"],
        tails: &["murah", "ready stock", "pos percuma"],
    },
    Language {
        code: "ko",
        market: "KR",
        currency: "KRW",
        goods: ["운동화", "반팔 티셔츠", "가방", "시계", "향수", "휴대폰"],
        coded: &["미러급", "레플리카", "정품급", "SA급", "이미테이션"],
        denials: &["정품 아님", "정품이 아닙니다", "가품"],
        accessories: &["{} 케이스", "{} 강화유리 필름", "{} 호환 충전기"],
        used: &["중고", "중고 상품"],
        tails: &["무료배송", "당일발송", "신상"],
    },
    Language {
        code: "zh",
        market: "CN",
        currency: "CNY",
        goods: ["运动鞋", "T恤", "手提包", "手表", "香水", "手机"],
        coded: &["高仿", "复刻", "一比一", "原单", "超A"],
        denials: &["非正品", "不是正品", "仿品"],
        accessories: &["适用于{}手机壳", "{} 钢化膜", "{} 数据线 兼容"],
        used: &["二手", "二手闲置", "九成新"],
        tails: &["包邮", "现货", "新款"],
    },
    Language {
        code: "es",
        market: "MX",
        currency: "MXN",
        goods: ["tenis", "playera", "bolso de mano", "reloj", "perfume", "celular"],
        coded: &["réplica", "calidad espejo", "clon 1:1", "réplica exacta", "calidad AAA"],
        denials: &["no es original", "no originales", "imitación"],
        accessories: &["funda para {}", "mica de cristal templado para {}", "cable compatible con {}"],
        used: &["usado", "segunda mano", "seminuevo"],
        tails: &["envío gratis", "nuevo", "oferta"],
    },
    Language {
        code: "pt",
        market: "BR",
        currency: "BRL",
        goods: ["tênis", "camiseta", "bolsa feminina", "relógio", "perfume", "celular"],
        coded: &["réplica", "primeira linha", "cópia perfeita", "AAA", "réplica 1:1"],
        denials: &["não é original", "não original", "imitação"],
        accessories: &["capa para {}", "película de vidro para {}", "cabo compatível com {}"],
        used: &["usado", "seminovo", "segunda mão"],
        tails: &["frete grátis", "pronta entrega", "novo"],
    },
    Language {
        code: "fil",
        market: "PH",
        currency: "PHP",
        goods: ["sapatos", "t-shirt", "bag", "relo", "pabango", "cellphone"],
        coded: &["class A", "OEM quality copy", "replica", "mirror quality", "overrun copy"],
        denials: &["hindi original", "not original po", "peke"],
        accessories: &["case para sa {}", "tempered glass for {}", "charger para sa {}"],
        used: &["pre-loved", "segunda mano", "used po"],
        tails: &["onhand", "COD", "mura lang"],
    },
];
