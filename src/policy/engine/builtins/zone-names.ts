/**
 * What the time zones call themselves, for the layout MST: abbreviations by their minutes east of UTC, and the zones that
 * use them or did since 1970, out of the IANA time zone database 2026; of two for the same offset, the later. Where one is
 * missing the offset is the name, as it is in the database: +03. https://www.iana.org/time-zones
 */
const TABLE: readonly (readonly [names: string, zones: string])[] = [
  [
    'CET+60 CEST+120',
    'Africa/Tunis Arctic/Longyearbyen Atlantic/Jan_Mayen CET Europe/Amsterdam Europe/Andorra Europe/Belgrade Europe/Berlin Europe/Bratislava Europe/Brussels Europe/Budapest Europe/Busingen Europe/Copenhagen Europe/Gibraltar Europe/Ljubljana Europe/Luxembourg Europe/Madrid Europe/Malta Europe/Monaco Europe/Oslo Europe/Paris Europe/Podgorica Europe/Prague Europe/Rome Europe/San_Marino Europe/Sarajevo Europe/Skopje Europe/Stockholm Europe/Tirane Europe/Vaduz Europe/Vatican Europe/Vienna Europe/Warsaw Europe/Zagreb Europe/Zurich MET Poland',
  ],
  [
    'GMT+0',
    'Africa/Abidjan Africa/Accra Africa/Bamako Africa/Banjul Africa/Bissau Africa/Conakry Africa/Dakar Africa/Freetown Africa/Lome Africa/Nouakchott Africa/Ouagadougou Africa/Timbuktu America/Danmarkshavn Atlantic/Reykjavik Atlantic/St_Helena Etc/GMT Etc/GMT+0 Etc/GMT-0 Etc/GMT0 Etc/Greenwich GMT GMT+0 GMT-0 GMT0 Greenwich Iceland',
  ],
  [
    'CST-360 CDT-300',
    'America/Belize America/Chicago America/Costa_Rica America/El_Salvador America/Guatemala America/Indiana/Knox America/Knox_IN America/Managua America/Matamoros America/Menominee America/Merida America/Mexico_City America/Monterrey America/Rainy_River America/Rankin_Inlet America/Resolute America/Tegucigalpa America/Winnipeg CST6CDT Canada/Central Mexico/General US/Central US/Indiana-Starke',
  ],
  [
    'EST-300 EDT-240',
    'America/Detroit America/Fort_Wayne America/Grand_Turk America/Indiana/Indianapolis America/Indiana/Marengo America/Indiana/Vevay America/Indianapolis America/Jamaica America/Kentucky/Louisville America/Louisville America/Montreal America/Nassau America/New_York America/Nipigon America/Port-au-Prince America/Thunder_Bay America/Toronto Canada/Eastern EST5EDT Jamaica US/East-Indiana US/Eastern US/Michigan',
  ],
  [
    'AST-240',
    'America/Anguilla America/Antigua America/Aruba America/Blanc-Sablon America/Curacao America/Dominica America/Grenada America/Guadeloupe America/Kralendijk America/Lower_Princes America/Marigot America/Miquelon America/Montserrat America/Port_of_Spain America/Puerto_Rico America/St_Barthelemy America/St_Kitts America/St_Lucia America/St_Thomas America/St_Vincent America/Tortola America/Virgin',
  ],
  [
    'AEST+600 AEDT+660',
    'Antarctica/Macquarie Australia/ACT Australia/Brisbane Australia/Canberra Australia/Currie Australia/Hobart Australia/Lindeman Australia/Melbourne Australia/NSW Australia/Queensland Australia/Sydney Australia/Tasmania Australia/Victoria',
  ],
  [
    'EET+120 EEST+180',
    'Africa/Cairo Asia/Beirut Asia/Gaza Asia/Hebron Asia/Nicosia EET Egypt Europe/Athens Europe/Bucharest Europe/Helsinki Europe/Mariehamn Europe/Nicosia Europe/Sofia',
  ],
  [
    'MST-420 MDT-360',
    'America/Boise America/Denver America/Edmonton America/Hermosillo America/Mazatlan America/Shiprock America/Yellowknife Canada/Mountain MST7MDT Mexico/BajaSur Navajo US/Mountain',
  ],
  [
    'EAT+180',
    'Africa/Addis_Ababa Africa/Asmara Africa/Asmera Africa/Dar_es_Salaam Africa/Djibouti Africa/Kampala Africa/Mogadishu Africa/Nairobi Indian/Antananarivo Indian/Comoro Indian/Mayotte',
  ],
  [
    'WAT+60',
    'Africa/Bangui Africa/Brazzaville Africa/Douala Africa/Kinshasa Africa/Lagos Africa/Libreville Africa/Luanda Africa/Malabo Africa/Niamey Africa/Porto-Novo',
  ],
  [
    'CST+480 CDT+540',
    'Asia/Chongqing Asia/Chungking Asia/Harbin Asia/Macao Asia/Macau Asia/Shanghai Asia/Taipei PRC ROC',
  ],
  [
    'PST-480 PDT-420',
    'America/Ensenada America/Los_Angeles America/Santa_Isabel America/Tijuana America/Vancouver Canada/Pacific Mexico/BajaNorte PST8PDT US/Pacific',
  ],
  [
    'AST-240 ADT-180',
    'America/Barbados America/Glace_Bay America/Halifax America/Martinique America/Moncton America/Thule Atlantic/Bermuda Canada/Atlantic',
  ],
  [
    'CAT+120',
    'Africa/Blantyre Africa/Bujumbura Africa/Gaborone Africa/Harare Africa/Kigali Africa/Lubumbashi Africa/Lusaka Africa/Maputo',
  ],
  [
    'EET+120 EEST+180 MSD+240',
    'Europe/Chisinau Europe/Kiev Europe/Kyiv Europe/Riga Europe/Tallinn Europe/Tiraspol Europe/Uzhgorod Europe/Zaporozhye',
  ],
  ['UTC+0', 'Etc/UCT Etc/UTC Etc/Universal Etc/Zulu UCT UTC Universal Zulu'],
  [
    'GMT+0 BST+60',
    'Europe/Belfast Europe/Guernsey Europe/Isle_of_Man Europe/Jersey Europe/London GB GB-Eire',
  ],
  ['EET+120', 'Asia/Amman Asia/Damascus Asia/Famagusta Asia/Istanbul Europe/Istanbul Turkey'],
  [
    'MST-420 CST-360 CDT-300',
    'America/Bahia_Banderas America/Chihuahua America/Ciudad_Juarez America/North_Dakota/Center America/North_Dakota/New_Salem America/Ojinaga',
  ],
  [
    'CST-360 EST-300 EDT-240',
    'America/Cancun America/Indiana/Vincennes America/Iqaluit America/Kentucky/Monticello America/Pangnirtung',
  ],
  ['EST-300', 'America/Atikokan America/Cayman America/Coral_Harbour America/Panama EST'],
  ['ACST+570 ACDT+630', 'Australia/Adelaide Australia/Broken_Hill Australia/South Australia/Yancowinna'],
  ['HST-600', 'HST Pacific/Honolulu Pacific/Johnston US/Hawaii'],
  ['MST-420', 'America/Creston America/Phoenix MST US/Arizona'],
  ['NZST+720 NZDT+780', 'Antarctica/McMurdo Antarctica/South_Pole NZ Pacific/Auckland'],
  ['PST-480 MST-420', 'America/Dawson_Creek America/Fort_Nelson America/Whitehorse Canada/Yukon'],
  ['SST-660', 'Pacific/Midway Pacific/Pago_Pago Pacific/Samoa US/Samoa'],
  ['WET+0 WEST+60', 'Atlantic/Canary Atlantic/Faeroe Atlantic/Faroe Atlantic/Madeira'],
  ['BST-660 HST-600 HDT-540', 'America/Adak America/Atka US/Aleutian'],
  ['EET+120 MSK+180 MSK+240', 'Europe/Moscow Europe/Simferopol W-SU'],
  ['IST+120 IDT+180', 'Asia/Jerusalem Asia/Tel_Aviv Israel'],
  ['SAST+120', 'Africa/Johannesburg Africa/Maseru Africa/Mbabane'],
  ['WET+0 WEST+60 CEST+120', 'Europe/Lisbon Portugal WET'],
  ['-00+0', 'Antarctica/Rothera Antarctica/Vostok'],
  ['ACST+570', 'Australia/Darwin Australia/North'],
  ['AEST+600', 'Australia/LHI Australia/Lord_Howe'],
  ['AHST-600 AKST-540 AKDT-480', 'America/Anchorage US/Alaska'],
  ['AKST-540 AKDT-480 PDT-420', 'America/Juneau America/Sitka'],
  ['AWST+480 AWDT+540', 'Australia/Perth Australia/West'],
  ['CAT+120 EAT+180', 'Africa/Juba Africa/Khartoum'],
  ['CET+60 EET+120', 'Africa/Tripoli Libya'],
  ['CST-300 CDT-240', 'America/Havana Cuba'],
  ['CST-360', 'America/Regina Canada/Saskatchewan'],
  ['CST-360 CDT-300 EDT-240', 'America/Indiana/Tell_City America/Indiana/Winamac'],
  ['ChST+600 GDT+660', 'Pacific/Guam Pacific/Saipan'],
  ['EET+120 MSD+240', 'Europe/Kaliningrad Europe/Minsk'],
  ['GMT+0 IST+60', 'Eire Europe/Dublin'],
  ['HKT+480 HKST+540', 'Asia/Hong_Kong Hongkong'],
  ['IST+330', 'Asia/Calcutta Asia/Kolkata'],
  ['JST+540', 'Asia/Tokyo Japan'],
  ['KST+540 KDT+600', 'Asia/Seoul ROK'],
  ['MST-420 CST-360', 'America/North_Dakota/Beulah America/Swift_Current'],
  ['NST-210 NDT-150 NDDT-90', 'America/St_Johns Canada/Newfoundland'],
  ['WET+0 CET+60 CEST+120', 'Africa/Algiers Africa/Ceuta'],
  ['WITA+480', 'Asia/Makassar Asia/Ujung_Pandang'],
  ['AKST-540 AKDT-480', 'America/Yakutat'],
  ['AKST-540 PST-480 PDT-420', 'America/Metlakatla'],
  ['AST-240 ADT-180 ADDT-120', 'America/Goose_Bay'],
  ['BST-660 BDT-600 AKST-540 AKDT-480', 'America/Nome'],
  ['CET+60 EET+120 EEST+180 MSD+240', 'Europe/Vilnius'],
  ['CST-360 EST-300', 'America/Indiana/Petersburg'],
  ['EST-300 AST-240', 'America/Santo_Domingo'],
  ['GMT+0 WAT+60', 'Africa/Sao_Tome'],
  ['KST+510 KST+540', 'Asia/Pyongyang'],
  ['MMT-45 GMT+0', 'Africa/Monrovia'],
  ['MSK+180', 'Europe/Volgograd'],
  ['MSK+180 MSK+240', 'Europe/Kirov'],
  ['MST-420 MDT-360 EST-300', 'America/Cambridge_Bay'],
  ['PKT+300 PKST+360', 'Asia/Karachi'],
  ['PST+480 PDT+540', 'Asia/Manila'],
  ['PST-480 MST-420 MDT-360', 'America/Inuvik'],
  ['WAT+60 CAT+120', 'Africa/Windhoek'],
  ['WAT+60 WAST+120', 'Africa/Ndjamena'],
  ['WEST+60', 'Atlantic/Azores'],
  ['WIB+420', 'Asia/Jakarta'],
  ['WIB+420 WITA+480', 'Asia/Pontianak'],
  ['WIT+540', 'Asia/Jayapura'],
  ['YST-540 PST-480 MST-420', 'America/Dawson'],
];

/** Zone -> minutes east of UTC -> name */
const NAMES = new Map(
  TABLE.flatMap(([names, zones]) => {
    const byOffset = new Map(
      names.split(' ').map((entry) => {
        const [, name = '', minutes = ''] = /^([A-Za-z]+)([+-][0-9]+)$/.exec(entry) ?? [];
        return [Number(minutes), name] as const;
      }),
    );
    return zones.split(' ').map((zone) => [zone, byOffset] as const);
  }),
);

/** `offset`: seconds east of UTC. */
export function zoneName(zone: string, offset: number): string {
  const known = NAMES.get(zone)?.get(offset / 60);
  if (known !== undefined) return known;
  // Local mean time, from before there were zones, is told by its seconds.
  if (offset % 60 !== 0) return 'LMT';
  const minutes = Math.trunc(Math.abs(offset) / 60);
  const pair = (number: number): string => String(number).padStart(2, '0');
  const rest = minutes % 60 === 0 ? '' : pair(minutes % 60);
  return `${offset < 0 ? '-' : '+'}${pair(Math.trunc(minutes / 60))}${rest}`;
}
