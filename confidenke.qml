<!DOCTYPE qgis PUBLIC 'http://mrcc.com/qgis.dtd' 'SYSTEM'>
<qgis version="3.22.0" styleCategories="Symbology">
 <pipe>
  <rasterrenderer type="singlebandpseudocolor" band="1" opacity="1" alphaBand="-1" nodataColor="" classificationMin="0" classificationMax="100">
   <rastershader>
    <colorrampshader colorRampType="INTERPOLATED" classificationMode="1" clip="0" minimumValue="0" maximumValue="100">
     <item value="0" label="0 %" color="#440154" alpha="255" />
     <item value="25" label="25 %" color="#3b528b" alpha="255" />
     <item value="50" label="50 %" color="#21918c" alpha="255" />
     <item value="75" label="75 %" color="#5ec962" alpha="255" />
     <item value="100" label="100 %" color="#fde725" alpha="255" />
    </colorrampshader>
   </rastershader>
  </rasterrenderer>
 </pipe>
 <blendMode>0</blendMode>
</qgis>
